"""Mount points that a container needs and the image lacks: they must not end in the layer.

The executor makes what is missing (`/proc`, an empty `/etc/resolv.conf`) in the snapshot's upper directory. Afterwards
whatever was missing before and is still empty is taken out of the upper again, and so is the copy of a parent
directory that nothing else changed.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Sequence

import msgspec

from jubako.build.files.tree import real_path
from jubako.linux.openat2 import open_in_root


class _Stub(msgspec.Struct, frozen=True):
    """`missing` paths, deepest first, and the directory that was there, as it was."""

    missing: list[str]
    parent: str
    status: os.stat_result


class Stubs:
    """Made before the command runs, with a view of the root; remove() after, with the upper directory."""

    def __init__(self, root_fd: int, destinations: Sequence[str]) -> None:
        self._stubs = [stub for path in destinations if (stub := _stub(root_fd, path))]

    def remove(self, upper_fd: int) -> None:
        for stub in reversed(self._stubs):
            if all(_remove_empty(upper_fd, path) for path in stub.missing):
                _restore(upper_fd, stub)


def _stub(root_fd: int, destination: str) -> _Stub | None:
    path = real_path(root_fd, destination)
    missing: list[str] = []
    while (status := _status(root_fd, path)) is None:
        missing.append(path)
        path = posixpath.dirname(path)
    return _Stub(missing, path, status) if missing else None


def _status(root_fd: int, path: str) -> os.stat_result | None:
    try:
        fd = open_in_root(root_fd, path, os.O_PATH | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        return os.fstat(fd)
    finally:
        os.close(fd)


def _remove_empty(upper_fd: int, path: str) -> bool:
    """Remove an empty file or directory; False when there is more than a stub."""
    status = _status(upper_fd, path)
    if status is None:
        return True
    parent = open_in_root(upper_fd, posixpath.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if stat.S_ISDIR(status.st_mode):
            os.rmdir(posixpath.basename(path), dir_fd=parent)
        elif stat.S_ISREG(status.st_mode) and status.st_size == 0:
            os.unlink(posixpath.basename(path), dir_fd=parent)
        else:
            return False
    except OSError:
        return False
    finally:
        os.close(parent)
    return True


def _restore(upper_fd: int, stub: _Stub) -> None:
    """The directory above: take its copy away when the stub was all of it, else give it its time back."""
    status = _status(upper_fd, stub.parent)
    if status is None or not stub.parent:
        return
    before = stub.status
    same = (status.st_mode, status.st_uid, status.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    fd = open_in_root(upper_fd, posixpath.dirname(stub.parent), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    name = posixpath.basename(stub.parent)
    try:
        if same:
            try:
                os.rmdir(name, dir_fd=fd)
                return
            except OSError:
                pass  # the command changed something in it
        os.utime(name, ns=(before.st_atime_ns, before.st_mtime_ns), dir_fd=fd, follow_symlinks=False)
    finally:
        os.close(fd)
