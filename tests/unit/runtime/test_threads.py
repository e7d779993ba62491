"""What several threads do at once with the executors that one process has started."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import pytest

from jubako.linux import fd as fds_of
from jubako.runtime import opcodes, program
from jubako.runtime.handle import Handle
from jubako.runtime.parent import Here


class Slow(Here):
    """Its first look at whether a process has ended takes until `go_on`."""

    def __init__(self) -> None:
        self.looks: list[int] = []
        self.looking, self.go_on = threading.Event(), threading.Event()

    def spawn(
        self, program: int, arguments: Sequence[str], environment: Mapping[str, str], fds: Collection[int]
    ) -> int:
        return 1 << 30

    def collect(self, pid: int, *, wait: bool) -> bool:
        self.looks.append(pid)
        self.looking.set()
        assert self.go_on.wait(30)
        return True


@pytest.fixture
def parent() -> Iterator[Slow]:
    program.reap()
    before, slow = program.parent(), Slow()
    program.work_for(slow)
    yield slow
    slow.go_on.set()
    program.reap()
    program.work_for(before)


def test_a_monitor_that_has_ended_is_collected_by_one_thread(parent: Slow) -> None:
    control, theirs = fds_of.packet_pair()
    try:
        pid = program.spawn(b"", theirs, [])
        with ThreadPoolExecutor(2) as threads:
            first = threads.submit(program.reap)
            assert parent.looking.wait(30)
            second = threads.submit(program.reap)
            wait([second], 0.2)
            parent.go_on.set()
            first.result(30)
            second.result(30)
    finally:
        fds_of.close_all([control, theirs])
    assert parent.looks == [pid]


def fill(control: int, handle: Handle) -> int:
    """Send until the other side has to read first; returns how many messages that took."""
    os.set_blocking(control, False)
    sent = 0
    with suppress(BlockingIOError):
        while True:
            handle.signal(10)
            sent += 1
    os.set_blocking(control, True)
    return sent


def test_a_handle_is_not_let_go_of_while_another_thread_sends() -> None:
    control, monitor = fds_of.packet_pair()
    channel, childs = fds_of.packet_pair()
    handle = Handle(control, channel, 0, None)
    sent = fill(control, handle)
    with ThreadPoolExecutor(2) as threads:
        signalling = threads.submit(handle.signal, 9)
        wait([signalling], 0.2)
        leaving = threads.submit(handle.detach)
        wait([leaving], 0.2)
        let_go_early = leaving.done()
        received = [os.read(monitor, 64) for _ in range(sent + 1)]
        signalling.result(30)
        leaving.result(30)
    fds_of.close_all([monitor, childs])
    assert not let_go_early
    assert received[-1][:4] == opcodes.MESSAGE_SIGNAL.to_bytes(4, "little")
    handle.signal(9)
