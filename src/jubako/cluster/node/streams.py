"""Logs, exec and attach of containers of this node, for the API server.

Concurrency:  what blocks is in threads; output of a process is read when the event loop says that there is some.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from jubako.cluster.apiserver.streams import LogOptions, Output
from jubako.cluster.node.engine import NodeEngine
from jubako.cluster.node.seen import Attempt
from jubako.cluster.types.document import Object, at, text
from jubako.engine.exec import ExecOptions
from jubako.errors import FailedPrecondition
from jubako.runtime.attach import EXITED, Attached
from jubako.runtime.handle import Handle

T = TypeVar("T")
_LINES_WAITING = 256


class Blocking(Protocol):
    async def __call__(self, call: Callable[[], T]) -> T: ...


class NodeStreams:
    def __init__(self, engine: NodeEngine, blocking: Blocking) -> None:
        self._engine, self._blocking = engine, blocking

    async def logs(self, pod: Object, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        """Yield a log, line by line or more at once. Raises NotFound, FailedPrecondition."""
        attempt = await self._attempt(pod, container, previous=options.previous)
        lines: asyncio.Queue[bytes | None] = asyncio.Queue(_LINES_WAITING)
        stop = threading.Event()
        loop = asyncio.get_running_loop()

        def put(data: bytes | None) -> None:
            asyncio.run_coroutine_threadsafe(lines.put(data), loop).result()

        reading = threading.Thread(
            target=_read, args=(self._engine, attempt.id, options, stop, put), daemon=True, name="log"
        )
        reading.start()
        left = options.limit_bytes
        try:
            while (data := await lines.get()) is not None and left != 0:
                piece = data if left < 0 else data[:left]
                left -= len(piece) if left > 0 else 0
                yield piece
        finally:
            stop.set()
            while not lines.empty():
                lines.get_nowait()

    async def execute(
        self, pod: Object, container: str, command: Sequence[str], *, tty: bool, stdin: bool
    ) -> NodeSession:
        """Start a process in a container."""
        attempt = await self._running(pod, container)
        options = ExecOptions(command=list(command), tty=tty, stdin=stdin)
        handle = await self._blocking(partial(self._engine.exec, attempt.id, options))
        assert handle.attached is not None
        return NodeSession(handle.attached, self._blocking, handle)

    async def attach(self, pod: Object, container: str) -> NodeSession:
        """Connect with the streams of a container."""
        attempt = await self._running(pod, container)
        return NodeSession(await self._blocking(partial(self._engine.attach, attempt.id)), self._blocking, None)

    async def _running(self, pod: Object, container: str) -> Attempt:
        attempt = await self._attempt(pod, container, previous=False)
        if not attempt.running:
            raise FailedPrecondition(f'container not found ("{container}")')
        return attempt

    async def _attempt(self, pod: Object, container: str, *, previous: bool) -> Attempt:
        name = text(at(pod, "metadata", "name"))
        seen = await self._blocking(partial(self._engine.look, pod))
        attempts = seen.of(container)
        if previous and len(attempts) < 2:
            raise FailedPrecondition(f'previous terminated container "{container}" in pod "{name}" not found')
        if not attempts:
            message = f'container "{container}" in pod "{name}" is waiting to start: ContainerCreating'
            raise FailedPrecondition(message)
        return attempts[1 if previous else 0]


def _read(
    engine: NodeEngine, attempt: str, options: LogOptions, stop: threading.Event, put: Callable[[bytes | None], None]
) -> None:
    """In a thread: read the log until its end, or until nobody wants it any more."""
    try:
        for line in engine.log(attempt, options, stop.is_set):
            stamp = f"{line.time} ".encode() if options.timestamps else b""
            put(stamp + line.log.encode("utf-8", "surrogateescape"))
            if stop.is_set():
                return
    finally:
        put(None)


class NodeSession:
    """One process, or with no `handle` the attachment to one."""

    def __init__(self, attached: Attached, blocking: Blocking, handle: Handle | None) -> None:
        self._attached, self._blocking, self._handle = attached, blocking, handle
        self._code = 0
        self._over = False

    async def output(self) -> AsyncIterator[Output]:
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._attached.fileno(), ready.set)
        try:
            while not self._over:
                await ready.wait()
                ready.clear()
                frame = self._attached.read()
                if frame is None:
                    return
                if frame.kind == EXITED:
                    self._code = frame.code
                    return
                yield Output(frame.kind, frame.data)
        finally:
            if self._attached.fileno() >= 0:
                loop.remove_reader(self._attached.fileno())

    async def exit_code(self) -> int:
        if self._handle is not None and not self._over:
            self._code = (await self._blocking(self._handle.wait)).code
        return self._code

    async def write(self, data: bytes) -> None:
        await self._blocking(partial(self._attached.write, data))

    async def close_input(self) -> None:
        await self._blocking(self._attached.close_stdin)

    async def resize(self, height: int, width: int) -> None:
        self._attached.resize(height, width)

    async def close(self) -> None:
        if self._over:
            return
        self._over = True
        if self._handle is not None:
            await self._blocking(self._handle.abandon)
        else:
            self._attached.close()
