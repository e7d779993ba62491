"""A little disk space kept back, so that a full disk can be cleaned up.

Removing a container changes records first, and SQLite needs room for that too. When the disk is all but full, what
frees space (a removal, a change, opening the database at all) throws the ballast out, and the next open that finds
plenty takes it in again.
"""

from __future__ import annotations

import os
from pathlib import Path

SIZE = 512 << 10
_LOW = 256 << 10
_PLENTY = 16 << 20
_PLENTY_SHARE = 8


class Ballast:
    def __init__(self, path: Path) -> None:
        self._path = path

    def drop_if_low(self) -> None:
        """Give the space back when there is hardly any other."""
        if _free(self._path.parent) < _LOW:
            try:
                os.truncate(self._path, 0)
            except OSError:
                return

    def refill(self) -> None:
        """Take the space again where there is plenty: 16 MB, or an eighth of a small disk."""
        try:
            if os.stat(self._path).st_size == SIZE:
                return
        except FileNotFoundError:
            pass
        status = os.statvfs(self._path.parent)
        plenty = min(_PLENTY, status.f_blocks * status.f_frsize // _PLENTY_SHARE)
        if _bytes(status) > max(plenty, 2 * SIZE):
            try:
                _allocate(self._path)
            except OSError:
                return


def _free(directory: Path) -> int:
    return _bytes(os.statvfs(directory))


def _bytes(status: os.statvfs_result) -> int:
    return status.f_bavail * status.f_frsize


def _allocate(path: Path) -> None:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(fd, 0, SIZE)
    finally:
        os.close(fd)
