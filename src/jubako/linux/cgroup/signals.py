"""Signals to every process of a group, without a race against those that fork meanwhile."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from jubako.linux.cgroup.seam import CgroupHandle

_TIMEOUT_S = 5.0
_QUIET_LOOKS = 3
# clone, fork, vfork, clone3, and rt_sigprocmask, after which it comes; -1 is a thread stopped outside of any call.
_FORKS = {"x86_64": ("56", "57", "58", "435", "14", "-1"), "aarch64": ("220", "435", "135", "-1")}


def signal_frozen(group: CgroupHandle, number: int) -> None:
    """Signal each process once. A frozen group can neither fork nor give a pid away; SIGKILL acts when it thaws.

    Who was stopped within fork(2) has its child when it thaws. libc blocks every signal there (musl; glibc since 2.41),
    so that its own waits until then, and the child has none: while there are such, who is new is looked for again.
    """
    thaws = number == signal.SIGKILL or not group.is_frozen()
    known: set[int] = set()
    deadline = time.monotonic() + _TIMEOUT_S
    more = True
    with suppress(FileNotFoundError):  # no group, no processes: systemd takes one away with the last of them
        while more and time.monotonic() < deadline:
            known, more = _signal_new(group, number, known, thaws=thaws)


def _signal_new(group: CgroupHandle, number: int, known: set[int], *, thaws: bool) -> tuple[set[int], bool]:
    """Signal those beyond `known`; returns all that are there, and whether there are some yet to come."""
    group.freeze()
    try:
        found = set(group.pids())
        _signal(found - known, number)
        return found, thaws and number != signal.SIGKILL and any(_forks_before(pid, number) for pid in found)
    finally:
        if thaws:
            group.thaw()


def signal_until_quiet(group: CgroupHandle, number: int) -> None:
    """The same without a freezer: look again until there is nobody new, nor about to be; with SIGKILL nobody at all.

    Who ends between the look at the group and the look at itself may have had a child: only looks in a row tell.
    """
    seen: set[int] = set()
    quiet = 0
    deadline = time.monotonic() + _TIMEOUT_S
    while quiet < _QUIET_LOOKS and time.monotonic() < deadline:
        found = set(group.pids())
        due = found if number == signal.SIGKILL else found - seen
        quiet = 0 if due or any(_forks_before(pid, number) for pid in found) else quiet + 1
        _signal(due, number)
        seen |= found


def _forks_before(pid: int, number: int) -> bool:
    """Whether a process has a child yet to come before it takes the signal that it was sent."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        return any(_blocks(f"/proc/{pid}/task/{thread}", number) for thread in threads)
    except OSError:  # it is gone, or not ours to look into
        return False


def _blocks(thread: str, number: int) -> bool:
    """Whether a thread is within fork(2), or on its way there, while the signal waits."""
    with open(f"{thread}/status") as file:
        masks = dict(line.split(":\t", 1) for line in file if line.startswith(("ShdPnd", "SigBlk")))
    waiting = int(masks["ShdPnd"], 16) & int(masks["SigBlk"], 16)
    if not waiting & 1 << number - 1:
        return False
    with open(f"{thread}/syscall") as file:
        call = file.read().split(maxsplit=1)[0]
    return call == "running" or call in _FORKS.get(os.uname().machine, ())


def _signal(pids: set[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
