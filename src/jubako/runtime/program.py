"""The executor's binary, spawned so that no container can reach and overwrite it (CVE-2019-5736).

As root it is executed from a detached, read-only bind mount of itself; else from sealed memory. Either way
/proc/<pid>/exe leads to something that can not be written.

Concurrency:  any thread. What has ended is collected once, by one of them: its number is another's afterwards.
"""

from __future__ import annotations

import os
from _thread import RLock
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import jubako
from jubako.errors import FailedPrecondition, Unavailable
from jubako.linux import fd as fds_of
from jubako.linux import mount
from jubako.runtime.parent import Here, Parent

_ENVIRONMENT = frozenset({"PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV"})
_PREFIXES = ("JUBAKO_", "XDG_", "PYTHON")

_protected: list[int] = []
_monitors: set[int] = set()
_parent: list[Parent] = [Here()]
_lock = RLock()


def parent() -> Parent:
    """Who starts the executor."""
    return _parent[0]


def work_for(other: Parent) -> None:
    """Let `other` be the parent from now on."""
    _parent[0] = other


def spawn(plan: bytes, control: int, inherited: Iterable[int]) -> int:
    """Spawn the executor with `plan`; fds in `inherited` keep their numbers. Returns its pid.

    It is a child of parent(): `reap` collects it when it has ended.
    """
    reap()
    plan_fd = fds_of.sealed_memory("plan", plan)
    try:
        arguments = ["jubako-monitor", str(plan_fd), str(control)]
        pid = parent().spawn(protected(), arguments, environment(), {plan_fd, control, *inherited})
    finally:
        os.close(plan_fd)
    _monitors.add(pid)
    return pid


@contextmanager
def user_namespace_holder(*files: int) -> Iterator[int]:
    """The pid of a process that is alone in a new user namespace, while this lasts.

    With `files`, one to lock and this process's mount namespace, it is in a new mount namespace too, and stays as long
    as anybody else has the first file locked; then it makes that file empty.
    """
    mine, theirs = fds_of.packet_pair()
    arguments = ["jubako-userns", *(["namespaces"] if files else []), *map(str, (theirs, *files))]
    try:
        pid = Here().spawn(protected(), arguments, {}, {theirs, *files})
    except BaseException:
        os.close(mine)
        raise
    finally:
        os.close(theirs)
    try:
        if not os.read(mine, 1):
            raise FailedPrecondition("cannot make a user namespace", hint="jubako doctor tells what this host lacks")
        yield pid
    finally:
        os.close(mine)
        if not files:
            os.waitpid(pid, 0)


def reap(pid: int | None = None) -> None:
    """Collect monitors that have ended; with `pid`, wait for that one."""
    with _lock:
        wanted = pid in _monitors
        for known in list(_monitors):
            _monitors.discard(known)  # before it is collected: the next spawn may have its number
            if known != pid and not parent().collect(known, wait=False):
                _monitors.add(known)
    if wanted and pid is not None:
        parent().collect(pid, wait=True)


def environment() -> dict[str, str]:
    """What the monitor's one cleanup command needs of this process's environment."""
    return {k: v for k, v in os.environ.items() if k in _ENVIRONMENT or k.startswith(_PREFIXES)}


def protected() -> int:
    """An fd of the binary in its protected form, made once for this process and those that it forks."""
    with _lock:
        if not _protected:
            _protected.append(_protect(path()))
        return _protected[0]


def path() -> str:
    """Where the executor lies; raises Unavailable where it was not built."""
    found = os.path.join(os.path.dirname(os.path.abspath(jubako.__file__)), "_bin", "executor")
    if not os.path.exists(found):
        raise Unavailable("the executor is not built", hint="run: make -C executor OUT=../src/jubako/_bin")
    return found


def moved(fd: int) -> None:
    """What protected() gave has the number `fd` from now on."""
    _protected[:] = [fd]


def _protect(path: str) -> int:
    if os.geteuid() == 0:
        try:
            return fds_of.above_stdio(_read_only_bind(path))
        except OSError:
            pass  # no CAP_SYS_ADMIN here: as for anybody else
    with open(path, "rb") as file:
        return fds_of.sealed_memory("executor", file.read(), executable=True)


def _read_only_bind(path: str) -> int:
    fd = mount.open_tree(path, mount.OPEN_TREE_CLONE)
    try:
        mount.mount_setattr(fd, add=mount.MOUNT_ATTR_RDONLY)
    except BaseException:
        os.close(fd)
        raise
    return fd
