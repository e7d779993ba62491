"""One process of a container that a client talks to, or the attachment to one.

Concurrency:  nothing blocks: the event loop says when the process's monitor has something to read, or takes something.
              While the client does not read, neither is the monitor read, which holds the process back.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from functools import partial

from jubako.cluster.apiserver.streams import Output
from jubako.cluster.node.blocking import Blocking
from jubako.runtime.attach import EXITED, PAYLOAD_MAX, Attached, Frame
from jubako.runtime.handle import Handle


class NodeSession:
    """With no `handle` it is the attachment to a process, which goes on when the session ends.

    `keeps_input` says that the process's stdin stays open for others when this client's has ended.
    """

    def __init__(
        self, attached: Attached, blocking: Blocking, handle: Handle | None = None, *, keeps_input: bool = False
    ) -> None:
        self._attached, self._blocking, self._handle = attached, blocking, handle
        self._keeps_input = keeps_input
        self._code = 0
        self._over = False
        os.set_blocking(attached.fileno(), False)

    async def output(self) -> AsyncIterator[Output]:
        while (frame := await self._read()) is not None:
            if frame.kind == EXITED:
                self._code = frame.code
                return
            yield Output(frame.kind, frame.data)

    async def exit_code(self) -> int:
        while self._handle is not None:
            try:
                return self._handle.wait(0).code
            except TimeoutError:
                await _readable(self._handle.fileno())
        return self._code

    async def write(self, data: bytes) -> None:
        for start in range(0, len(data), PAYLOAD_MAX):
            await self._send(partial(self._attached.write, data[start : start + PAYLOAD_MAX]))

    async def close_input(self) -> None:
        if not self._keeps_input:
            await self._send(self._attached.close_stdin)

    async def resize(self, height: int, width: int) -> None:
        await self._send(partial(self._attached.resize, height, width))

    async def close(self) -> None:
        if self._over:
            return
        self._over = True
        if self._handle is not None:
            await self._blocking(self._handle.abandon)
        else:
            self._attached.close()

    async def _read(self) -> Frame | None:
        while True:
            try:
                return self._attached.read()
            except BlockingIOError:
                await _readable(self._attached.fileno())

    async def _send(self, packet: Callable[[], None]) -> None:
        """Send one packet, when there is room for it."""
        while True:
            try:
                return packet()
            except BlockingIOError:
                await _writable(self._attached.fileno())


async def _readable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    await _told(loop.add_reader, loop.remove_reader, fd)


async def _writable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    await _told(loop.add_writer, loop.remove_writer, fd)


async def _told(begin: Callable[[int, Callable[[], None]], None], end: Callable[[int], bool], fd: int) -> None:
    """Wait for the loop to tell of something about `fd`, which it is asked for only meanwhile."""
    ready = asyncio.Event()
    begin(fd, ready.set)
    try:
        await ready.wait()
    finally:
        end(fd)
