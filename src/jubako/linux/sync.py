"""Making durable what was written by others."""

from __future__ import annotations

import ctypes
import os

from jubako.linux.syscall import libc


def sync_filesystem(path: str | os.PathLike[str]) -> None:
    """Have all that was written to the file system of `path` on disk: syncfs(2)."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.syncfs(fd) == -1:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), os.fspath(path))
    finally:
        os.close(fd)
