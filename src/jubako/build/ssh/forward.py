"""The socket at which a command finds an agent: it may list keys and have data signed, and nothing else.

Adding, removing and locking keys and all extensions are refused here: the agent is its owner's, not the build's.

Concurrency:  one thread accepts, one more serves each connection, at most CONNECTIONS_MAX of them; leaving the context
              ends them all, also one that waits for its agent.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jubako.build.ssh import wire
from jubako.build.ssh.agents import Agent, Connection
from jubako.errors import Unavailable

CONNECTIONS_MAX = 32
_ALLOWED = (wire.REQUEST_IDENTITIES, wire.SIGN_REQUEST)


@contextmanager
def forwarded(agent: Agent, path: Path, *, uid: int, gid: int, mode: int) -> Iterator[None]:
    """Have `agent` answer at a new socket `path`, which has this owner and mode."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        _bind(listener, path)
        os.chown(path, uid, gid)
        path.chmod(mode)
        listener.listen()
        server = _Server(agent, listener)
        try:
            yield
        finally:
            server.close()


def _bind(listener: socket.socket, path: Path) -> None:
    """However long the path is: the name is taken relative to its directory."""
    fd = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        listener.bind(f"/proc/self/fd/{fd}/{path.name}")
    finally:
        os.close(fd)


class _Server:
    def __init__(self, agent: Agent, listener: socket.socket) -> None:
        self._agent = agent
        self._listener = listener
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(CONNECTIONS_MAX)
        self._closed = False
        self._serving: dict[threading.Thread, list[socket.socket | Connection]] = {}
        self._acceptor = threading.Thread(target=self._accept)
        self._acceptor.start()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            serving = list(self._serving)
            for open_ones in self._serving.values():
                _stop(open_ones)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for thread in (self._acceptor, *serving):
            thread.join()

    def _accept(self) -> None:
        while True:
            self._room.acquire()
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            with self._lock:
                if self._closed:
                    connection.close()
                    return
                self._serving[thread] = [connection]
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        """One connection's whole life; whatever fails ends it, which the command's ssh understands."""
        try:
            with client, suppress(OSError, Unavailable), self._agent.connected() as agent:
                with self._lock:
                    if self._closed:
                        return
                    self._serving[threading.current_thread()].append(agent)
                _converse(client, agent)
        finally:
            with self._lock:
                del self._serving[threading.current_thread()]
            self._room.release()


def _converse(client: socket.socket, agent: Connection) -> None:
    while (request := wire.read_message(client)) is not None:
        allowed = request[0] in _ALLOWED
        wire.write_message(client, agent.ask(request) if allowed else bytes([wire.FAILURE]))


def _stop(open_ones: list[socket.socket | Connection]) -> None:
    for one in open_ones:
        with suppress(OSError):
            if isinstance(one, socket.socket):
                one.shutdown(socket.SHUT_RDWR)
            else:
                one.stop()
