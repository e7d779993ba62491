"""Mounts that nobody else sees: a mount namespace for the body, whose children stay in it.

Invariant:    after the body this process is in its namespace and directory again, or it ends. What was mounted is gone
              with the last process that was started meanwhile, however that ends.
Concurrency:  for a process of one thread: unshare(2) and setns(2) move the calling one.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

from jubako.linux.syscall import libc

_CLONE_NEWNS = 0x00020000
_MS_REC, _MS_SLAVE = 1 << 14, 1 << 19


@contextmanager
def private() -> Iterator[None]:
    """Run the body in a copy of this mount namespace, into which mounts of the host still come."""
    home = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    directory = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _check(libc.unshare(_CLONE_NEWNS))
        try:
            _check(libc.mount(None, b"/", None, _MS_REC | _MS_SLAVE, None))
            yield
        finally:
            if libc.setns(home, _CLONE_NEWNS) != 0:
                os.abort()
            os.fchdir(directory)
    finally:
        os.close(home)
        os.close(directory)


def _check(result: int) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), "mount namespace")
