"""Who becomes the executor's parent: this process, or the one that this process works for.

What a container inherits (groups, limits, session, security label, the nearest subreaper) comes from the executor's
parent. A process that was forked ahead to serve somebody's call lets that somebody's own process start it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol


class Parent(Protocol):
    """Starts programs, and knows when they have ended."""

    @property
    def pid(self) -> int:
        """The process that the caller started."""

    def spawn(
        self, program: int, arguments: Sequence[str], environment: Mapping[str, str], fds: Collection[int]
    ) -> int:
        """Start the file that `program` is open on; `fds` keep their numbers, its streams are the null device."""

    def collect(self, pid: int, *, wait: bool) -> bool:
        """Return whether the process `pid`, started here, has ended; `wait` for it if need be."""

    def join_groups(self) -> None:
        """See to it that what this process starts itself is in the parent's control groups, too."""


class Here:
    """This process is the parent."""

    @property
    def pid(self) -> int:
        return os.getpid()

    def spawn(
        self, program: int, arguments: Sequence[str], environment: Mapping[str, str], fds: Collection[int]
    ) -> int:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDWR, 0),
            (os.POSIX_SPAWN_DUP2, 0, 1),
            (os.POSIX_SPAWN_DUP2, 0, 2),
            # dup2 of an fd onto itself takes close-on-exec away, posix_spawn_file_actions_adddup2(3).
            *((os.POSIX_SPAWN_DUP2, fd, fd) for fd in fds),
        ]
        return os.posix_spawn(f"/proc/self/fd/{program}", list(arguments), environment, file_actions=actions)

    def collect(self, pid: int, *, wait: bool) -> bool:
        try:
            return os.waitpid(pid, 0 if wait else os.WNOHANG)[0] != 0
        except ChildProcessError:
            return True

    def join_groups(self) -> None:
        """It is."""
