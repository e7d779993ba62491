"""A command in a running attempt, followed without a thread that waits for it."""

from __future__ import annotations

import asyncio
from functools import partial

from jubako.cluster.node.blocking import Blocking, acquired
from jubako.cluster.node.engine import NodeEngine
from jubako.engine.exec import ExecOptions
from jubako.runtime.attach import EXITED, Attached
from jubako.runtime.handle import Handle

_SAID_BYTES = 10 << 10


async def execute(
    engine: NodeEngine, blocking: Blocking, attempt: str, words: list[str], timeout_s: float
) -> tuple[int, str]:
    """Run it to its end; returns its exit code and what it said. Raises TimeoutError, when it has been killed."""
    options = ExecOptions(command=words)
    handle = await acquired(blocking, partial(engine.exec, attempt, options), Handle.abandon)
    assert handle.attached is not None
    try:
        async with asyncio.timeout(timeout_s):
            said = await _output(handle.attached)
    except BaseException:
        await asyncio.shield(blocking(handle.abandon))
        raise
    # Cancelled from here on, the thread has the handle for itself, and lets go of it.
    code = await blocking(partial(_end, handle))
    return code, said.decode("utf-8", "replace")


def _end(handle: Handle) -> int:
    try:
        return handle.wait().code
    finally:
        handle.acknowledge()


async def _output(channel: Attached) -> bytes:
    """Read until the process has ended; of what it says no more than its beginning is kept."""
    loop, ready, said = asyncio.get_running_loop(), asyncio.Event(), bytearray()
    loop.add_reader(channel.fileno(), ready.set)
    try:
        while True:
            await ready.wait()
            ready.clear()
            try:
                frame = channel.read(timeout_s=0)
            except TimeoutError:  # it was told of twice, and is read already
                continue
            if frame is None or frame.kind == EXITED:
                return bytes(said)
            said += frame.data[: _SAID_BYTES - len(said)]
    finally:
        loop.remove_reader(channel.fileno())
