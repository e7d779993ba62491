"""Namespaces without a process: made by this thread, kept by a bind mount of their file, and left again.

Model:        a pin is an empty file with the namespace's file (`/proc/PID/ns/KIND`) mounted over it. It keeps the
              namespace until it is unmounted or the machine is restarted, whatever ends meanwhile. namespaces(7).
Invariant:    after the body the calling thread is where it was; one that could not go back would act on the wrong host,
              so the process aborts.
Concurrency:  unshare(2) and setns(2) move only the calling thread.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from jubako.linux import mount
from jubako.linux.netns import CLONE_NEWNET
from jubako.linux.syscall import libc

KINDS = {"net": CLONE_NEWNET, "ipc": 0x08000000, "uts": 0x04000000}
"""Kinds that can be kept without a process, by their names beneath /proc/PID/ns. uapi/linux/sched.h."""
_MS_BIND = 4096


@contextmanager
def made(kinds: Sequence[str], directory: str | os.PathLike[str]) -> Iterator[None]:
    """Run the body in new namespaces of `kinds`, then pin each as the file of its name in `directory`; OSError."""
    homes = {kind: os.open(_file(kind), os.O_RDONLY | os.O_CLOEXEC) for kind in kinds}
    try:
        flags = 0
        for kind in kinds:
            flags |= KINDS[kind]
        _check(libc.unshare(flags), "namespaces")
        try:
            yield
            for kind in kinds:
                pin(_file(kind), os.path.join(directory, kind))
        finally:
            for kind, fd in homes.items():
                if libc.setns(fd, KINDS[kind]) != 0:
                    os.abort()
    finally:
        for fd in homes.values():
            os.close(fd)


def is_pinned(path: str | os.PathLike[str]) -> bool:
    """Whether a namespace, or another filesystem, is mounted at `path`: it is on another device than its directory."""
    try:
        return os.stat(path).st_dev != os.stat(os.path.dirname(os.fspath(path))).st_dev
    except FileNotFoundError:
        return False


def unpin(path: str | os.PathLike[str]) -> None:
    """Let go of what is mounted at `path`, if anything is."""
    while True:
        try:
            mount.umount2(os.fspath(path), mount.MNT_DETACH)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):
                return
            raise


def pin(namespace: str, path: str | os.PathLike[str]) -> None:
    """Keep a namespace, which a file beneath /proc/PID/ns names, at `path`; OSError."""
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    _check(libc.mount(os.fsencode(namespace), os.fsencode(path), None, _MS_BIND, None), os.fspath(path))


def _file(kind: str) -> str:
    return f"/proc/thread-self/ns/{kind}"


def _check(result: int, what: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), what)
