"""Being told when a group runs out of memory.

v1 counts into an eventfd that is registered in cgroup.event_control (kernel admin-guide/cgroup-v1/memory, "OOM
control"); v2 wakes those who poll memory.events.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable


class OomWatch:
    """`fd` is ready (poll with `mask`) when there may be news; `news()` counts what happened since it was asked."""

    def __init__(self, fd: int, mask: int, news: Callable[[], int]) -> None:
        self.fd, self.mask, self.news = fd, mask, news

    def close(self) -> None:
        os.close(self.fd)


def watch_v1(directory: str) -> OomWatch:
    """Watch memory.oom_control of `directory`. The kernel counts the group's removal, too: that is no news."""
    counter = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    control = os.open(f"{directory}/memory.oom_control", os.O_RDONLY | os.O_CLOEXEC)
    try:
        with open(f"{directory}/cgroup.event_control", "wb", buffering=0) as file:
            file.write(f"{counter} {control}".encode())
    except BaseException:
        os.close(counter)
        raise
    finally:
        os.close(control)

    def news() -> int:
        try:
            count = os.eventfd_read(counter)
        except BlockingIOError:
            return 0
        return count if os.path.isdir(directory) else 0

    return OomWatch(counter, select.POLLIN, news)


def watch_v2(directory: str) -> OomWatch:
    """Watch memory.events of `directory`."""
    file = os.open(f"{directory}/memory.events", os.O_RDONLY | os.O_CLOEXEC)
    known = _kills(file)

    def news() -> int:
        nonlocal known
        before, known = known, max(known, _kills(file))
        return known - before

    return OomWatch(file, select.POLLPRI, news)


def _kills(fd: int) -> int:
    """The count of kills; 0 once the group is gone (ENODEV)."""
    try:
        lines = os.pread(fd, 4096, 0).decode().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
