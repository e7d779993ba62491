"""Deleting and measuring trees whose names and shapes are hostile.

Everything is relative to directory fds and follows no symbolic link, so a tree that changes meanwhile can lead nowhere
else. A tree deeper than _DEPTH is deleted in pieces: what lies deeper is first moved up to the top.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from stat import S_ISDIR

from jubako.linux.openat2 import ONE_NAME, openat2

_DEPTH = 64
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(path: str | os.PathLike[str]) -> None:
    """Delete what `path` names, if it exists."""
    directory, name = os.path.split(os.fspath(path))
    parent = os.open(directory or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        remove_at(parent, name)
    finally:
        os.close(parent)


def discard_tree(path: str | os.PathLike[str]) -> None:
    """Delete what `path` names as far as that can be done; collection takes the rest."""
    with suppress(OSError):
        remove_tree(path)


def remove_at(parent: int, name: str) -> None:
    """Delete `name` in the directory `parent`, if it exists."""
    deep = [name]
    while deep:
        _remove(parent, deep.pop(), parent, deep, 0)


def _remove(parent: int, name: str, top: int, deep: list[str], depth: int) -> None:
    try:
        os.unlink(name, dir_fd=parent)
    except IsADirectoryError:
        if depth < _DEPTH:
            _empty(parent, name, top, deep, depth)
            os.rmdir(name, dir_fd=parent)
        else:
            deep.append(".deep-" + os.urandom(8).hex())
            os.rename(name, deep[-1], src_dir_fd=parent, dst_dir_fd=top)
    except FileNotFoundError:
        return


def _empty(parent: int, name: str, top: int, deep: list[str], depth: int) -> None:
    fd = _open_directory(parent, name)
    try:
        for child in os.listdir(fd):
            _remove(fd, child, top, deep, depth + 1)
    finally:
        os.close(fd)


def _open_directory(parent: int, name: str) -> int:
    """Open a directory for emptying; its owner may have taken the permission to do so from himself."""
    try:
        fd = os.open(name, _OPEN_DIRECTORY, dir_fd=parent)
    except PermissionError:
        os.chmod(name, 0o700, dir_fd=parent)
        fd = os.open(name, _OPEN_DIRECTORY, dir_fd=parent)
    if os.geteuid() and os.fstat(fd).st_mode & 0o700 != 0o700:
        os.fchmod(fd, 0o700)
    return fd


def tree_usage(path: str | os.PathLike[str]) -> int:
    """Return the bytes on disk that `path` takes with all beneath it; a file with many links counts once.

    The tree may change meanwhile, as that of a running container does; what can not be opened counts for nothing.
    """
    seen: set[tuple[int, int]] = set()
    root = os.open(path, _OPEN_DIRECTORY)
    try:
        total = os.fstat(root).st_blocks * 512
        pending = ["."]
        while pending:
            directory = pending.pop()
            for name, status in _entries(root, directory):
                if S_ISDIR(status.st_mode):
                    pending.append(f"{directory}/{name}")
                elif status.st_nlink > 1:
                    if (status.st_dev, status.st_ino) in seen:
                        continue
                    seen.add((status.st_dev, status.st_ino))
                total += status.st_blocks * 512
        return total
    finally:
        os.close(root)


def _entries(root: int, directory: str) -> Iterator[tuple[str, os.stat_result]]:
    try:
        fd = openat2(root, directory, _OPEN_DIRECTORY, resolve=ONE_NAME)
    except OSError:
        return
    try:
        with os.scandir(fd) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    yield entry.name, entry.stat(follow_symlinks=False)
    finally:
        os.close(fd)
