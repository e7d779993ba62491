"""The name server, as a process: python -m jubako.cluster.dns.process DIRECTORY UDP TCP

Layout:       DIRECTORY/dns          the socket by which it is told what it has to know
Model:        who connects is given the sockets that it listens on, and says states, one after the other. The newest
              connection counts. Each state replaces all that was known at once. Until the first one questions wait.
Invariant:    it ends when another has taken its place in the directory, or the directory is gone.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

import jubako
from jubako.cluster.dns.known import State
from jubako.cluster.dns.zone import Zone
from jubako.network import resolv
from jubako.network.dns.loop import READ, Loop
from jubako.network.dns.server import Server
from jubako.network.dns.upstream import Upstream
from jubako.spec import decoding

SOCKET, LENGTH = "dns", 4
_LOOK_S, _RECEIVE_BYTES = 5.0, 1 << 16


Sockets = tuple[socket.socket, socket.socket]


class Hello(msgspec.Struct, frozen=True):
    """What a process says of itself to who connects, with its two sockets."""

    version: str
    pid: int


class Answering:
    """Answers from what was told last, from the moment on that something was."""

    def __init__(self, loop: Loop, sockets: Sockets) -> None:
        self._loop, self._sockets = loop, sockets
        self._server: Server | None = None
        self._own = ""

    def take(self, data: bytes) -> None:
        state = decoding.decode(data, State)
        zone, self._own = Zone(state), state.server
        if self._server is None:
            self._server = Server(self._loop, self._sockets, zone.resolve, Upstream(self._loop, self._upstreams))
        self._server.resolve = zone.resolve

    def _upstreams(self) -> Sequence[str]:
        """The host's own name servers, of this moment; asking ourselves would never end."""
        return [each for each in resolv.of_host(loopback=True).servers if each != self._own]


class Control:
    """The socket of those who tell."""

    def __init__(self, loop: Loop, path: Path, sockets: Sockets, take: Callable[[bytes], None]) -> None:
        self._loop, self._path, self._sockets, self._take = loop, path, sockets, take
        self._listener = listen(path)
        self._inode = path.stat().st_ino
        self._peer: socket.socket | None = None
        self._got = bytearray()
        loop.watch(self._listener, READ, self._accept)
        self._look()

    def _look(self) -> None:
        with suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._loop.after(_LOOK_S, self._look)
                return
        self._loop.end()

    def _accept(self) -> None:
        with suppress(OSError):
            peer = self._listener.accept()[0]
            self._drop()
            self._peer, self._got = peer, bytearray()
            hello = msgspec.json.encode(Hello(jubako.__version__, os.getpid()))
            socket.send_fds(peer, [hello], [each.fileno() for each in self._sockets])
            self._loop.watch(peer, READ, self._receive)

    def _receive(self) -> None:
        assert self._peer is not None
        try:
            data = self._peer.recv(_RECEIVE_BYTES)
            self._got += data
            while len(self._got) >= LENGTH and len(self._got) >= (end := LENGTH + _length(self._got)):
                self._take(bytes(self._got[LENGTH:end]))
                del self._got[:end]
        except (OSError, msgspec.MsgspecError):
            data = b""
        if not data:
            self._drop()

    def _drop(self) -> None:
        if self._peer is not None:
            self._loop.close(self._peer)
        self._peer = None


def _length(data: bytearray) -> int:
    return int.from_bytes(data[:LENGTH], "big")


def listen(path: Path) -> socket.socket:
    """Take the place of whatever listens at a path. The path may be longer than an address of a socket."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    directory = os.open(path.parent, os.O_PATH | os.O_CLOEXEC)
    try:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.bind(f"/proc/self/fd/{directory}/{draft.name}")
        draft.chmod(0o600)
        made.listen()
        draft.rename(path)
    finally:
        os.close(directory)
    return made


def main() -> int:
    directory, *descriptors = sys.argv[1:]
    udp, tcp = (socket.socket(fileno=int(each)) for each in descriptors)
    loop = Loop()
    Control(loop, Path(directory) / SOCKET, (udp, tcp), Answering(loop, (udp, tcp)).take)
    os.write(1, b"ready\n")
    loop.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
