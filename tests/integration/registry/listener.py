"""A receiver of webhooks on loopback that remembers what it was sent, and answers as the test says."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Received(NamedTuple):
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        (event,) = json.loads(self.body)["events"]
        return dict(event)


class Listener:
    """`statuses` are given in turn; then everything is 200."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses: list[int] = []
        self._received: queue.Queue[Received] = queue.Queue()

    def take(self) -> Received:
        return self._received.get(timeout=20)

    def receive(self, received: Received) -> int:
        status = self.statuses.pop(0) if self.statuses else 200
        self._received.put(received)
        return status

    def is_quiet(self) -> bool:
        return self._received.empty()


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(listener.receive(Received(dict(self.headers), body)))
            self.send_header("Location", "http://169.254.169.254/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.url = f"http://127.0.0.1:{server.server_port}/hook?x=1"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
