"""Streams of one connection, and what has come in on them.

Invariant:    not more than LIMIT_BYTES, and what one read has brought, wait for the readers of a connection; until
              there is room it is not read on.
Concurrency:  one event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

LIMIT_BYTES = 1 << 20
PIECE_BYTES = 1 << 15
_PATIENCE_S = 2.0


class StreamReset(ConnectionResetError):
    """The client has given a stream up, or has gone."""


class Stream(Protocol):
    """Bytes both ways. What the client does not want any more raises StreamReset."""

    async def read(self) -> bytes:
        """Return what came in; b"" at the end."""

    async def write(self, data: bytes) -> None:
        """Send, and wait while the client does not take it."""

    async def finish(self) -> None:
        """Send no more. What still comes in is of interest to nobody."""


class Traffic:
    """What moves on a connection: how many bytes wait for their readers, and when the last one came or went."""

    def __init__(self) -> None:
        self._waiting = 0
        self._taken = asyncio.Event()
        self.moved()

    def moved(self) -> None:
        self.last = asyncio.get_running_loop().time()

    def came(self, size: int) -> None:
        self._waiting += size
        self.moved()

    def taken(self, size: int) -> None:
        self._waiting -= size
        self._taken.set()

    async def room(self, has_gone: Callable[[], Awaitable[bool]]) -> None:
        """Wait until it may be read on. Raises StreamReset when nobody reads and the client has gone.

        While nothing is read of a connection its end does not show, so that `has_gone` is asked now and then.
        """
        while self._waiting > LIMIT_BYTES:
            self._taken.clear()
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await self._taken.wait()
            except TimeoutError:
                if await has_gone():
                    raise StreamReset("the client has gone") from None


class Intake:
    """What has come in on one stream."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._pieces: deque[bytes] = deque()
        self._changed = asyncio.Event()
        self._ended = self._failed = self._unwanted = False

    def put(self, data: bytes) -> None:
        if data and not self._unwanted:
            self._pieces.append(data)
            self._traffic.came(len(data))
            self._changed.set()

    def end(self) -> None:
        """No more will come."""
        self._ended = True
        self._changed.set()

    def fail(self) -> None:
        """No more will come, and what came is not all, unless it has ended before."""
        self._failed = not self._ended
        self._changed.set()

    def discard(self) -> None:
        """Nobody will read."""
        self._unwanted = True
        self._traffic.taken(sum(len(piece) for piece in self._pieces))
        self._pieces.clear()

    async def read(self) -> bytes:
        while not self._pieces:
            if self._ended:
                return b""
            if self._failed:
                raise StreamReset("the client has reset the stream")
            self._changed.clear()
            await self._changed.wait()
        piece = self._pieces.popleft()
        self._traffic.taken(len(piece))
        return piece
