"""A server that misbehaves as a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Asked(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


class Answer(NamedTuple):
    """`length` is the Content-Length where it is not that of the body; the connection then closes after the body.

    `stall` is waited for between the two.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = {}
    length: int | None = None
    stall: threading.Event | None = None


Script = Callable[[Asked], Answer]


class Scripted:
    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[Asked] = []
        self.base = ""

    @property
    def domain(self) -> str:
        return self.base.partition("//")[2]

    def count(self, part: str) -> int:
        """How often a path with this part was asked for."""
        return sum(part in asked.path for asked in self.asked)


class _Server(ThreadingHTTPServer):
    """Whoever still has a connection when it closes has none any more, as with a server that is gone."""

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.connections: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, peer = super().get_request()
        self.connections.append(connection)
        return connection, peer

    def server_close(self) -> None:
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()


@contextmanager
def scripted(script: Script, host: str = "127.0.0.1") -> Iterator[Scripted]:
    """Serve `script` on loopback; GET /v2/ is answered unless the script does."""
    state = Scripted(script)
    server = _Server((host, 0), _handler(state))
    state.base = f"http://{host}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(state: Scripted) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.command, self.path, {name.title(): value for name, value in self.headers.items()}, body)
            if self.path != "/v2/":
                state.asked.append(asked)
            answer = state.script(asked)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body) if answer.length is None else answer.length))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)
            if answer.stall is not None:
                self.wfile.flush()
                answer.stall.wait(30)
            self.close_connection = answer.length is not None

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
