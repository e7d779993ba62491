"""Where the things of one kind (containers, pods) lie on disk, and the one lock that each of them has.

Layout:       STATES/<id>/lock …     what survives a reboot       RUNS/<id>/…     what ends with the boot
Concurrency:  a thing changes its phase only under its lock, which the kernel drops with its holder. The lock file is
              made on first use in the state directory; a thing that is gone has none.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jubako.errors import NotFound
from jubako.linux import locks
from jubako.store.failure import explained
from jubako.store.removal import discard_tree


class Places:
    """The directories and locks of one kind; `what` is its name in errors."""

    def __init__(self, what: str, states: Path, runs: Path) -> None:
        self._what = what
        self._states = states
        self._runs = runs

    def state_dir(self, key: str) -> Path:
        """What survives a reboot, besides the record (and a container's snapshot)."""
        return self._states / key

    def run_dir(self, key: str) -> Path:
        """What ends with the boot."""
        return self._runs / key

    def present(self) -> set[str]:
        """Everything that has a directory, known or not."""
        return {path.name for base in (self._runs, self._states) if base.is_dir() for path in base.iterdir()}

    @contextmanager
    def locked(self, key: str, *, shared: bool = False) -> Iterator[None]:
        """Hold the lock under which a phase changes, or with `shared` keep others from that. NotFound, Unavailable."""
        fd = self._open_lock(key)
        try:
            locks.wait(fd, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    @contextmanager
    def making(self, key: str) -> Iterator[None]:
        """Make a new thing's state directory and hold its lock; the directory goes when the body fails.

        Collection may take an unlocked directory without a record at any time: then it is made again.
        """
        fd = self._make_locked(key)
        try:
            yield
        except BaseException:
            discard_tree(self.state_dir(key))
            raise
        finally:
            os.close(fd)

    def _make_locked(self, key: str) -> int:
        directory = self.state_dir(key)
        while True:
            with explained("write to", directory), suppress(NotFound):
                directory.mkdir(parents=True, exist_ok=True, mode=0o710)
                fd = self._open_lock(key)
                fcntl.flock(fd, fcntl.LOCK_EX)
                if os.fstat(fd).st_nlink:
                    return fd
                os.close(fd)

    def discard(self, key: str, is_known: Callable[[str], object]) -> None:
        """Delete the directories of what has no record, unless somebody is making it at this moment."""
        if not self.state_dir(key).is_dir():
            self._delete_unknown(key, is_known)
            return
        try:
            fd = self._open_lock(key)
        except NotFound:
            return
        try:
            if locks.take(fd):
                self._delete_unknown(key, is_known)
        finally:
            os.close(fd)

    def _delete_unknown(self, key: str, is_known: Callable[[str], object]) -> None:
        if not is_known(key):
            discard_tree(self.run_dir(key))
            discard_tree(self.state_dir(key))

    def is_locked(self, key: str) -> bool:
        """Whether somebody is changing the phase at this moment."""
        try:
            fd = self._open_lock(key)
        except NotFound:
            return False
        try:
            return locks.is_held(fd)
        finally:
            os.close(fd)

    def _open_lock(self, key: str) -> int:
        try:
            return os.open(self.state_dir(key) / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            raise NotFound(self._what, key) from None
