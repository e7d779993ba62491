"""Files and directories that belong to whoever holds their lock; it goes with the process.

Stopped:  a process that was stopped (a terminal's ^Z) keeps its locks for as long as nobody continues it. Who waits for
          one gives up and names it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from jubako.errors import Unavailable
from jubako.linux import proc

_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _LOOK_S = 0.0005, 0.01, 1.0
_PATIENCE_S = 20.0


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


def wait(fd: int, how: int = fcntl.LOCK_EX, *, patience_s: float = _PATIENCE_S) -> None:
    """Take the lock of an open file when nobody else has it; `how` is LOCK_EX or LOCK_SH.

    Raises Unavailable when who has it has been stopped for `patience_s`.
    """
    pause_s, begun = _FIRST_PAUSE_S, time.monotonic()
    stopped_since, next_look = begun, begun + min(_LOOK_S, patience_s)
    while True:
        try:
            fcntl.flock(fd, how | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            now = time.monotonic()
        if now >= next_look:
            next_look = now + min(_LOOK_S, patience_s)
            pid = _stopped_holder(fd)
            stopped_since = stopped_since if pid else now
            if pid and now - stopped_since >= patience_s:
                what = os.readlink(f"/proc/self/fd/{fd}")
                message = f"process {pid}, which holds {what}, is stopped"
                raise Unavailable(message, hint=f"let it go on with `kill -CONT {pid}`, or end it")
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _stopped_holder(fd: int) -> int:
    """A process that holds the lock and is stopped; 0 where there is none. proc_locks(5)."""
    status = os.fstat(fd)
    file = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    with open("/proc/locks", encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if words[1] == "FLOCK" and words[5] == file and proc.state(int(words[4])) == "T":
                return int(words[4])
    return 0


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
