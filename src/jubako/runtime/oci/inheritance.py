"""Fds of the caller that the program gets, from 3 on: those of socket activation, then --preserve-fds.

Spec: sd_listen_fds(3); runc-run(8), --preserve-fds.
"""

from __future__ import annotations

import fcntl
import os

from jubako.errors import InvalidArgument
from jubako.runtime import program

_FIRST = 3
_FDS_MAX = 1024


def listening() -> int:
    """How many sockets the caller's service manager handed to the process that it started."""
    count = os.environ.get("LISTEN_FDS", "")
    if not count.isdecimal() or os.environ.get("LISTEN_PID") != str(program.parent().pid):
        return 0
    return int(count)


def environment(count: int) -> list[str]:
    """What tells the program of `count` sockets."""
    return [f"LISTEN_FDS={count}", "LISTEN_PID=1"] if count else []


def preserved(text: str, before: int) -> int:
    """How many fds are kept: `before`, and as many as `text` (--preserve-fds) says. All of them must be open."""
    if not text.isdecimal() or int(text) > _FDS_MAX:
        raise InvalidArgument(f"invalid value for preserve-fds: {text}")
    count = before + int(text)
    for fd in range(_FIRST, _FIRST + count):
        if not _is_inherited(fd):
            raise InvalidArgument(f"unable to stat preserved-fd {fd - _FIRST} (of {count})")
    return count


def _is_inherited(fd: int) -> bool:
    """What this process opened itself is close-on-exec."""
    try:
        return not fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    except OSError:
        return False
