"""Open directories of a tree, so that files that lie together are reached without resolving their path each time."""

from __future__ import annotations

import os

from jubako.linux.openat2 import open_in_root

_FDS = 32


class Directories:
    """Directories beneath `root_fd`, which stays the caller's. None of them may be replaced meanwhile."""

    def __init__(self, root_fd: int) -> None:
        self._root_fd = root_fd
        self._fds: dict[str, int] = {}

    def fd(self, path: str) -> int:
        """An fd of the directory `path`, which holds no symbolic link at its end; valid until the next call here."""
        known = self._fds.get(path)
        if known is not None:
            return known
        if len(self._fds) >= _FDS:
            os.close(self._fds.pop(next(iter(self._fds))))
        fd = open_in_root(self._root_fd, path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        self._fds[path] = fd
        return fd

    def close(self) -> None:
        for fd in self._fds.values():
            os.close(fd)
        self._fds.clear()
