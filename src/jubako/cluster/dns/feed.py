"""Keeps the cluster's name server alive, and tells it what it has to know.

Model:        a control plane that comes finds the name server that is there, and has its sockets from it. So it holds
              them too: whatever kills the name server, questions wait in them for the next one, which is made at once.
Concurrency:  one task of the event loop; making the process and finding it is in a thread.
"""

from __future__ import annotations

import asyncio
import logging
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

import jubako
from jubako.cluster.dns.finding import bound, end, find
from jubako.cluster.dns.known import State
from jubako.cluster.dns.process import LENGTH
from jubako.cluster.proxy.watching import Watched
from jubako.errors import Unavailable

_UP_S, _AGAIN_S, _SETTLE_S = 60.0, 0.5, 0.01
_log = logging.getLogger(__name__)


class NameServer:
    """`directory` is where it is found, `log` where it says what went wrong."""

    def __init__(self, directory: Path, log: Path) -> None:
        self._directory, self._log = directory, log
        self._sockets: Sequence[socket.socket] = ()
        self._child: subprocess.Popen[bytes] | None = None

    def take_sockets(self) -> int:
        """Have the sockets of the name server that is there, or new ones; returns their port. Raises OSError."""
        try:
            _, peer, self._sockets = find(self._directory)
            peer.close()
        except OSError:
            self._sockets = bound()
        return int(self._sockets[0].getsockname()[1])

    async def run(self, watched: Watched, state: Callable[[], State]) -> None:
        """Run until cancelled; the name server goes on."""
        changed = watched.listen()
        while True:
            try:
                peer = await asyncio.to_thread(self._connected)
                await self._tell(peer, watched, changed, state)
            except (OSError, Unavailable) as error:
                _log.warning("the name server: %s", error)
                await asyncio.sleep(_AGAIN_S)

    async def _tell(
        self, peer: socket.socket, watched: Watched, changed: asyncio.Event, state: Callable[[], State]
    ) -> None:
        """Tell each new state, until the name server is gone."""
        reader, writer = await asyncio.open_unix_connection(sock=peer)
        gone = asyncio.ensure_future(reader.read(1))
        told = None
        try:
            while not gone.done():
                changed.clear()
                if watched.is_complete and (now := state()) != told:
                    data = msgspec.json.encode(now)
                    writer.write(len(data).to_bytes(LENGTH, "big") + data)
                    await writer.drain()
                    told = now
                await _either(gone, changed)
                await asyncio.sleep(_SETTLE_S)
        finally:
            gone.cancel()
            writer.close()

    def _connected(self) -> socket.socket:
        """Find the name server, and make one where there is none, or an old one. Raises OSError, Unavailable."""
        with suppress(OSError):
            hello, peer, sockets = find(self._directory)
            for each in sockets:
                each.close()
            if hello.version == jubako.__version__:
                return peer
            peer.close()
            end(hello.pid)
        self._make()
        _, peer, sockets = find(self._directory)
        for each in sockets:
            each.close()
        return peer

    def _make(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        descriptors = [each.fileno() for each in self._sockets]
        command = [sys.executable, "-m", "jubako.cluster.dns.process", str(self._directory), *map(str, descriptors)]
        with open(self._log, "ab") as log:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=descriptors,
                start_new_session=True,
                cwd="/",
            )
        assert self._child.stdout is not None
        with self._child.stdout as said:
            if not select.select([said], [], [], _UP_S)[0] or said.readline() != b"ready\n":
                raise Unavailable("it did not come up")


async def _either(gone: asyncio.Future[bytes], changed: asyncio.Event) -> None:
    waiting = asyncio.ensure_future(changed.wait())
    either: set[asyncio.Future[Any]] = {gone, waiting}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
