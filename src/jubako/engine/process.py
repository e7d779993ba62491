"""Signals to, and waiting for, the first process of a container that somebody else may have started.

A process is held by a pidfd, and the pidfd is trusted only when the executor's state still names that process after
it was opened: a recycled process id is never signalled.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.runtime import state

_ALIVE = ("created", "running")
_WRITE_GRACE_S = 10.0


def is_running(run_dir: Path) -> bool:
    """Whether the executor's state says that the first process lives."""
    return state.read(run_dir).status in _ALIVE


def parse_signal(text: str) -> int:
    """The number of `KILL`, `SIGKILL` or `9`; raises InvalidArgument."""
    if text.isascii() and text.isdecimal() and 0 < int(text) < signal.NSIG:
        return int(text)
    upper = text.upper()
    name = upper if upper.startswith("SIG") else f"SIG{upper}"
    if name in signal.Signals.__members__:
        return int(signal.Signals[name])
    base, plus, offset = name.partition("+")
    if base == "SIGRTMIN" and plus and offset.isdecimal() and int(offset) <= signal.SIGRTMAX - signal.SIGRTMIN:
        return int(signal.SIGRTMIN) + int(offset)
    raise InvalidArgument(f"Invalid signal: {text}")


def send_signal(run_dir: Path, number: int) -> bool:
    """Send a signal to the first process; False when it has ended."""
    fd = open_pidfd(run_dir)
    if fd is None:
        return False
    try:
        signal.pidfd_send_signal(fd, number)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(fd)


def await_end(run_dir: Path, timeout_s: float | None) -> bool:
    """Wait until the container has ended and its exit status is written; False when time runs out."""
    fd = open_pidfd(run_dir)
    if fd is not None:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        ended = poll.poll(None if timeout_s is None else timeout_s * 1000)
        os.close(fd)
        if not ended:
            return False
    deadline = time.monotonic() + _WRITE_GRACE_S
    while is_running(run_dir) and time.monotonic() < deadline:
        time.sleep(0.001)
    return True


def open_pidfd(run_dir: Path) -> int | None:
    """An fd of the first process that is readable once it has ended; None where it has. The caller closes it."""
    current = state.read(run_dir)
    if current.status not in _ALIVE or not current.pid:
        return None
    try:
        fd = os.pidfd_open(current.pid)
    except ProcessLookupError:
        return None
    if state.read(run_dir).status in _ALIVE:
        return fd
    os.close(fd)
    return None


@contextmanager
def opened_root(run_dir: Path) -> Iterator[int]:
    """The root directory of the first process as an fd, with all that is mounted in it."""
    with held(run_dir) as pid:
        fd = os.open(f"/proc/{pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def held(run_dir: Path) -> Iterator[int]:
    """The first process's id, not recycled while this lasts; raises FailedPrecondition when it has ended."""
    fd = open_pidfd(run_dir)
    if fd is None:
        raise FailedPrecondition(f"container {run_dir.name} is not running")
    try:
        yield state.read(run_dir).pid
    finally:
        os.close(fd)
