"""Signals to every process of a group, without a race against those that fork meanwhile."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from jubako.linux.cgroup.seam import CgroupHandle

_TIMEOUT_S = 5.0


def signal_frozen(group: CgroupHandle, number: int) -> None:
    """Signal each process once. A frozen group can neither fork nor give a pid away; SIGKILL acts when it thaws."""
    was_frozen = group.is_frozen()
    group.freeze()
    try:
        _signal(set(group.pids()), number)
    finally:
        if number == signal.SIGKILL or not was_frozen:
            group.thaw()


def signal_until_quiet(group: CgroupHandle, number: int) -> None:
    """The same without a freezer: look again until there is nobody new, or with SIGKILL nobody at all."""
    seen: set[int] = set()
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        found = set(group.pids())
        if not (found if number == signal.SIGKILL else found - seen):
            return
        _signal(found if number == signal.SIGKILL else found - seen, number)
        seen |= found


def _signal(pids: set[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
