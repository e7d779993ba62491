"""The executor's binary, spawned so that no container can reach and overwrite it (CVE-2019-5736).

As root it is executed from a detached, read-only bind mount of itself; else from sealed memory. Either way
/proc/<pid>/exe leads to something that can not be written.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import jubako
from jubako.errors import Unavailable
from jubako.linux import fd as fds_of
from jubako.linux import mount

_ENVIRONMENT = frozenset({"PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV"})
_PREFIXES = ("JUBAKO_", "XDG_", "PYTHON")

_protected: list[int] = []
_monitors: set[int] = set()


def spawn(plan: bytes, control: int, inherited: Iterable[int]) -> int:
    """Spawn the executor with `plan`; fds in `inherited` keep their numbers. Returns its pid.

    The process is a child of this one: `reap` collects it when it has ended.
    """
    reap()
    plan_fd = fds_of.sealed_memory("plan", plan)
    try:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDWR, 0),
            (os.POSIX_SPAWN_DUP2, 0, 1),
            (os.POSIX_SPAWN_DUP2, 0, 2),
            # dup2 of an fd onto itself takes close-on-exec away, posix_spawn_file_actions_adddup2(3).
            *((os.POSIX_SPAWN_DUP2, fd, fd) for fd in {plan_fd, control, *inherited}),
        ]
        arguments = ["jubako-monitor", str(plan_fd), str(control)]
        pid = os.posix_spawn(f"/proc/self/fd/{_program()}", arguments, environment(), file_actions=actions)
    finally:
        os.close(plan_fd)
    _monitors.add(pid)
    return pid


def reap(pid: int | None = None) -> None:
    """Collect monitors that have ended; with `pid`, wait for that one."""
    for known in list(_monitors):
        try:
            done = os.waitpid(known, 0 if known == pid else os.WNOHANG)[0]
        except ChildProcessError:
            done = known
        if done:
            _monitors.discard(known)


def environment() -> dict[str, str]:
    """What the monitor's one cleanup command needs of this process's environment."""
    return {k: v for k, v in os.environ.items() if k in _ENVIRONMENT or k.startswith(_PREFIXES)}


def _program() -> int:
    if not _protected:
        path = os.path.join(os.path.dirname(os.path.abspath(jubako.__file__)), "_bin", "executor")
        if not os.path.exists(path):
            raise Unavailable("the executor is not built", hint="run: make -C executor OUT=../src/jubako/_bin")
        _protected.append(_protect(path))
    return _protected[0]


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
