"""Temporary directories that never outlive their use.

Layout:       ingest/<id>/      flocked exclusively while its maker lives
Invariant:    a directory here that nobody locks is rubbish.
Concurrency:  many processes; the lock goes with the process, so kill -9 leaves only what `reap` removes.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jubako.linux.locks import abandoned, try_lock
from jubako.store.failure import explained
from jubako.store.removal import remove_tree, tree_usage

# linux/fs.h, FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_TOPDIR_FL
_GET_FLAGS, _SET_FLAGS, _TOPDIR = 0x80086601, 0x40086602, 0x00020000
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY


def spread(path: Path) -> None:
    """Ask the file system to place each directory made in `path` on its own, where it supports that.

    ext4 puts a directory near its parent, and for minutes passes over the inodes that were freed there one by one
    (fs/ext4/ialloc.c, recently_deleted): unpacking after a removal takes 5 times as long. With the flag of a top-level
    directory each child begins in a block group by the hash of its (random) name (find_group_orlov).
    """
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        flags = int.from_bytes(fcntl.ioctl(fd, _GET_FLAGS, bytes(8))[:4], sys.byteorder)
        fcntl.ioctl(fd, _SET_FLAGS, (flags | _TOPDIR).to_bytes(8, sys.byteorder))
    except OSError:
        # No such flags here, or none that we may set: only speed is lost.
        pass
    finally:
        os.close(fd)


class Workspace:
    """One ingest directory of ours: `path`, and `fd` which holds its lock."""

    __slots__ = ("fd", "path")

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self.fd = fd

    def close(self) -> None:
        """Remove the directory with all that is in it, and release the lock."""
        try:
            remove_tree(self.path)
        finally:
            os.close(self.fd)


class Ingest:
    def __init__(self, root: Path) -> None:
        self.path = root / "ingest"

    def allocate(self) -> Workspace:
        """Make and lock a new directory; the caller closes it."""
        with explained("make a temporary directory in", self.path):
            while True:
                path = self.path / os.urandom(8).hex()
                os.mkdir(path, 0o700)
                fd = try_lock(path, _DIRECTORY)
                if fd is not None:
                    return Workspace(path, fd)

    @contextmanager
    def workspace(self) -> Iterator[Workspace]:
        """Lend a new directory to the body; it is gone afterwards."""
        workspace = self.allocate()
        try:
            yield workspace
        finally:
            workspace.close()

    def bury(self, path: Path) -> Path:
        """Move a directory tree of the store out of sight, by one rename that needs no space; `dispose` of it then."""
        buried = self.path / os.urandom(8).hex()
        os.rename(path, buried)
        return buried

    def dispose(self, buried: Path) -> None:
        """Delete what was buried; a kill in between, or a failure, leaves the rest for `reap`."""
        fd = try_lock(buried, _DIRECTORY)
        if fd is not None:
            try:
                remove_tree(buried)
            finally:
                os.close(fd)

    def discard(self, path: Path) -> None:
        """Delete a directory tree of the store: out of sight first, then for good."""
        self.dispose(self.bury(path))

    def reap(self) -> int:
        """Delete the directories of dead makers and return the bytes that they took."""
        freed_bytes = 0
        for path, _ in abandoned(self.path, _DIRECTORY):
            freed_bytes += tree_usage(path)
            remove_tree(path)
        return freed_bytes
