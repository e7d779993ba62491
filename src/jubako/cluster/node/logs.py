"""The log of a container, from a thread that reads it to the event loop.

Model:        a thread for each reader, since following a log blocks. What it has read is handed over in one piece,
              however many lines that is.
Invariant:    not more than LIMIT_BYTES, and a line, wait for the client. The thread ends soon after its client.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import suppress

from jubako.cluster.apiserver.streams import LogOptions
from jubako.engine.logs import Line
from jubako.errors import JubakoError

LIMIT_BYTES = 1 << 20

Read = Callable[[Callable[[], bool]], Iterator[Line]]
"""Reads a log; it is given what says whether nobody wants more of it."""


async def stream(read: Read, options: LogOptions) -> AsyncGenerator[bytes, None]:
    """Yield what `read` reads, as far as `options` want it."""
    handover = _Handover(asyncio.get_running_loop())
    threading.Thread(target=_read, args=(read, options, handover), daemon=True, name="log").start()
    left = options.limit_bytes
    try:
        while left != 0 and (data := await handover.take()):
            piece = data if left < 0 else data[:left]
            left -= len(piece) if left > 0 else 0
            yield piece
    finally:
        handover.stop()


class _Handover:
    """Bytes from a thread to the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ready = asyncio.Event()
        self._room = threading.Condition()
        self._data = bytearray()
        self._ended = self._stopped = False

    def put(self, data: bytes) -> bool:
        """In the thread: hand over, and wait while too much waits; tells whether more is wanted."""
        with self._room:
            self._data += data
            self._tell()
            self._room.wait_for(lambda: len(self._data) <= LIMIT_BYTES or self._stopped)
            return not self._stopped

    def end(self) -> None:
        """In the thread: there is no more."""
        with self._room:
            self._ended = True
            self._tell()

    def _tell(self) -> None:
        with suppress(RuntimeError):  # the loop has ended, and nobody waits
            self._loop.call_soon_threadsafe(self._ready.set)

    async def take(self) -> bytes:
        """Return all that there is, once there is something; b"" at the end."""
        while True:
            self._ready.clear()
            with self._room:
                if self._data or self._ended:
                    data, self._data = bytes(self._data), bytearray()
                    self._room.notify()
                    return data
            await self._ready.wait()

    def stop(self) -> None:
        with self._room:
            self._stopped = True
            self._room.notify()

    def is_stopped(self) -> bool:
        return self._stopped


def _read(read: Read, options: LogOptions, handover: _Handover) -> None:
    try:
        # What was there when the client came may have gone since: then the log has ended.
        with suppress(JubakoError, OSError):
            for text in _texts(read(handover.is_stopped), timestamps=options.timestamps):
                if not handover.put(text):
                    return
    finally:
        handover.end()


def _texts(lines: Iterable[Line], *, timestamps: bool) -> Iterator[bytes]:
    """Return what a client gets: a long line is in several entries, and has one time."""
    begins = True
    for line in lines:
        stamp = f"{line.time} ".encode() if timestamps and begins else b""
        yield stamp + line.log.encode("utf-8", "surrogateescape")
        begins = line.log.endswith("\n")
