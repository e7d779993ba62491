"""What threads of the node are at when the task that waits for them is cancelled."""

from __future__ import annotations

import asyncio
import os
import struct
import threading
from collections.abc import Callable
from typing import TypeVar, cast

import pytest

from jubako.cluster.node import commands
from jubako.cluster.node.blocking import acquired
from jubako.cluster.node.engine import NodeEngine
from jubako.engine.exec import ExecOptions
from jubako.linux import fd as fds_of
from jubako.runtime.attach import EXITED, Attached
from jubako.runtime.handle import Handle
from jubako.runtime.launch import Exit

T = TypeVar("T")


async def blocking(call: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, call)


class Slow:
    """A call that begins, and goes on when it is told to."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.go_on.wait(30)
        return "made"


async def cancelled(task: asyncio.Task[T], slow: Slow) -> None:
    await blocking(lambda: slow.begun.wait(30))
    task.cancel()
    await asyncio.sleep(0)
    slow.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_what_is_made_for_a_cancelled_task_is_let_go_of() -> None:
    slow, released = Slow(), []

    async def run() -> None:
        await cancelled(asyncio.create_task(acquired(blocking, slow, released.append)), slow)

    asyncio.run(run())
    assert released == ["made"]


class Ended(Handle):
    """A process that has ended, of whose end the monitor is slow to tell."""

    def __init__(self) -> None:
        mine, self.monitor = fds_of.packet_pair()
        super().__init__(-1, -1, -1, Attached(mine))
        self.slow, self.calls = Slow(), []
        os.write(self.monitor, bytes([EXITED]) + struct.pack("=I", 3))

    def wait(self, timeout_s: float | None = None) -> Exit:
        self.slow()
        self.calls.append("waited")
        return Exit(3, 0, False, 0, 0)

    def abandon(self) -> None:
        self.calls.append("abandoned")

    def acknowledge(self) -> None:
        self.calls.append("acknowledged")
        assert self.attached is not None
        fds_of.close_all([self.attached.fileno(), self.monitor])


class Engine:
    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def exec(self, attempt: str, options: ExecOptions) -> Handle:
        return self._handle


def test_a_command_that_has_ended_is_let_go_of_once_though_its_task_is_cancelled() -> None:
    handle = Ended()

    async def run() -> None:
        engine = cast(NodeEngine, Engine(handle))
        await cancelled(asyncio.create_task(commands.execute(engine, blocking, "a", ["true"], 30)), handle.slow)

    asyncio.run(run())
    assert handle.calls == ["waited", "acknowledged"]
