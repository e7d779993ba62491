"""Files and directories that belong to whoever holds their lock; it goes with the process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


def try_lock(path: Path, flags: int) -> int | None:
    """Open `path` and lock it; the caller closes the fd. None when somebody holds it, or it is gone."""
    try:
        fd = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        # Between open and flock its holder may have removed it, or given it another name: then it is not ours to take.
        if take(fd) and os.path.samestat(os.fstat(fd), os.lstat(path)):
            return fd
    except FileNotFoundError:
        pass
    os.close(fd)
    return None


def take(fd: int) -> bool:
    """Take the lock of an open file if nobody has it, and say whether that worked."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(fd: int) -> bool:
    """Whether somebody has the lock of an open file for itself alone."""
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(fd, fcntl.LOCK_UN)
    return False


def abandoned(directory: Path, flags: int) -> Iterator[tuple[Path, int]]:
    """What lies in `directory` and nobody holds, each with the fd of a lock of ours, while it is looked at."""
    for name in os.listdir(directory):
        fd = try_lock(directory / name, flags)
        if fd is not None:
            try:
                yield directory / name, fd
            finally:
                os.close(fd)
