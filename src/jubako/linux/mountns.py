"""Mounts that nobody else sees: a mount namespace for the body, whose children stay in it.

Invariant:    after the body this process is in its namespace and directory again, or it ends. What was mounted is gone
              with the last process that was started meanwhile, however that ends.
Concurrency:  unshare(2) and setns(2) move the calling thread. private() is for a process of one, part() for any.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

from jubako.linux import mount, openat2
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


def part(tree: int, path: str, place: str) -> int:
    """Return a detached mount of what lies at `path` in one, wherever links in it lead; OSError.

    Only from Linux 6.15 on can open_tree(2) copy a part of what is attached nowhere. So it is attached at `place`
    meanwhile, in a mount namespace that ends with its thread.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(_part, tree, path, place).result()


def _part(tree: int, path: str, place: str) -> int:
    _check(libc.unshare(_CLONE_NEWNS))
    _check(libc.mount(None, b"/", None, _MS_REC | _MS_SLAVE, None))
    mount.move_mount(tree, place)
    found = openat2.open_in_root(tree, path, os.O_PATH)
    try:
        return mount.open_tree("", mount.OPEN_TREE_CLONE | mount.AT_EMPTY_PATH, dir_fd=found)
    finally:
        os.close(found)


def _check(result: int) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), "mount namespace")
