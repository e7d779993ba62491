"""An ordinary user's own root: its commands go into a user and a mount namespace, which last while anybody is there.

Model:        root inside is the user, ids from 1 on are its ranges of /etc/subuid and /etc/subgid; without ranges or
              the helpers that map them, the user is all there is (userns.mappings).
Layout:       RUN_ROOT/namespaces    "PID TICKS MOUNTS": a process that is in them, its start, and the mount namespace
                                     that theirs is a copy of; locked (shared) by all who are in them
              A caller with other mounts than those would see the wrong files: it gets namespaces for itself alone.
Invariant:    all commands of a user have the same maps, so one owns what another wrote. The process named goes when
              nobody has the lock any more: it takes the lock for itself, and makes the file empty.
Concurrency:  the directory is locked while the file is read and written.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jubako.errors import FailedPrecondition
from jubako.linux import fd as fds_of
from jubako.linux import locks, nested, proc, userns
from jubako.runtime import idmap, program
from jubako.store.failure import explained

_FILE = "namespaces"
_MOUNTS = "/proc/self/ns/mnt"
_HINT = "jubako doctor tells what this host lacks for ordinary users"

_lock: list[int] = []
_is_shared: list[bool] = []


def enter(run_root: Path) -> None:
    """Make this process root of a user namespace; nothing where it is root already. Raises FailedPrecondition."""
    if os.geteuid() == 0:
        return
    with explained("write to", run_root):
        run_root.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_shared = _enter_shared(run_root)
    if not is_shared:
        _enter_private()
    _is_shared[:] = [is_shared]


def _enter_shared(run_root: Path) -> bool:
    """Enter the namespaces of all; False where they have other mounts."""
    path = run_root / _FILE
    with explained("write to", path):
        lock = _locked(path)
    with _kept_if_entered(lock):
        with _alone(run_root):
            namespaces, is_same = _living(lock)
            if namespaces < 0:
                namespaces = _make(path, lock)
        if is_same:
            _enter(namespaces)
        else:
            os.close(namespaces)
        return is_same


def _enter_private() -> None:
    """The same for this process alone, by a file that nobody else has."""
    memory = os.memfd_create("namespaces", os.MFD_CLOEXEC)
    path = Path(f"/proc/self/fd/{memory}")
    try:
        lock = _locked(path)
        with _kept_if_entered(lock):
            _enter(_make(path, lock))
    finally:
        os.close(memory)


@contextmanager
def _kept_if_entered(lock: int) -> Iterator[None]:
    """The lock is held for good once this process is in the namespaces."""
    try:
        yield
    finally:
        if userns.user() == os.geteuid():
            os.close(lock)
        else:
            _lock[:] = [lock]


def _enter(namespaces: int) -> None:
    try:
        nested.enter(namespaces)
    except OSError as error:
        raise FailedPrecondition(_explained(error), hint=_HINT) from None
    finally:
        os.close(namespaces)


def held() -> list[int]:
    """What keeps the namespaces, for a process that is to stay in them; nothing for root. Raises FailedPrecondition."""
    if False in _is_shared:
        message = "this user has containers that were started among other mounts, and all must be in one namespace"
        raise FailedPrecondition(message, hint="stop those, or name another place with --run-root")
    return list(_lock)


def _locked(path: Path) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(fd, fcntl.LOCK_SH)
    return fd


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        locks.wait(fd)
        yield
    finally:
        os.close(fd)


def _living(lock: int) -> tuple[int, bool]:
    """A pidfd of the process that is in the namespaces, and whether they have this process's mounts; -1 where there
    is none, or it was killed."""
    fields = os.pread(lock, 100, 0).split()
    if len(fields) != 3:
        return -1, True
    pid, ticks = int(fields[0]), int(fields[1])
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return -1, True
    if proc.start_ticks(pid) == ticks:
        return fd, fields[2].decode() == _mounts()
    os.close(fd)
    return -1, True


def _make(path: Path, lock: int) -> int:
    """New namespaces, written to the file; a pidfd of the process that is in them."""
    theirs = os.open(path, os.O_RDWR | os.O_CLOEXEC)  # a lock of its own belongs to a file opened on its own
    mounts = os.open(_MOUNTS, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with program.user_namespace_holder(theirs, mounts) as pid:
            idmap.map_new(pid, *userns.mappings())
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{pid} {proc.start_ticks(pid)} {_mounts()}\n".encode(), 0)
            return os.pidfd_open(pid)
    finally:
        fds_of.close_all([theirs, mounts])


def _mounts() -> str:
    return os.readlink(_MOUNTS)


def _explained(error: OSError) -> str:
    if error.errno == errno.EINVAL:
        return "cannot enter a user namespace: this process has threads"
    return f"cannot work in a user namespace: {os.strerror(error.errno or 0).lower()}"
