"""Namespaces, id maps and cgroups of a specification, as the plan's first operations."""

from __future__ import annotations

import os
from collections.abc import Callable

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.linux import userns
from jubako.linux.cgroup import CgroupHandle
from jubako.linux.fd import above_stdio
from jubako.runtime import opcodes as op
from jubako.runtime.plan import Plan
from jubako.spec.oci_runtime import Linux, Namespace

FLAGS = {
    "time": 0x00000080,
    "mount": 0x00020000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "network": 0x40000000,
}
_FILES = {"mount": "mnt", "network": "net"}


def new_namespaces(linux: Linux) -> set[str]:
    """Types that are made, not joined."""
    return {namespace.type for namespace in linux.namespaces if not namespace.path}


def file_of(kind: str) -> str:
    """The name beneath /proc/<pid>/ns, which is also criu's."""
    return _FILES.get(kind, kind)


def in_user_namespace(linux: Linux) -> bool:
    """Whether the container is in another user namespace than this process."""
    return any(namespace.type == "user" for namespace in linux.namespaces)


def add_namespaces(plan: Plan, linux: Linux, give: Callable[[int], int], *, leave: bool) -> None:
    """CLONE and JOIN; `give` takes each fd that is opened over.

    A cgroup namespace is unshared later, by the child in its cgroups; a time namespace, when there is a procfs.
    """
    flags = 0
    for namespace in linux.namespaces:
        if namespace.type not in FLAGS:
            raise InvalidArgument(f"namespace type {namespace.type!r} is not supported")
        if namespace.path:
            plan.add(op.JOIN, give(_open(namespace)), FLAGS[namespace.type])
        elif namespace.type not in ("cgroup", "time"):
            flags |= FLAGS[namespace.type]
    if "mount" not in {namespace.type for namespace in linux.namespaces}:
        raise InvalidArgument("a container needs a mount namespace")
    plan.add(op.CLONE, flags, int(leave))


def _open(namespace: Namespace) -> int:
    try:
        return os.open(namespace.path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise FailedPrecondition(f"cannot join {namespace.type} namespace {namespace.path}: {error.strerror}") from None


def add_joins(plan: Plan, linux: Linux, pid: int, *, leave: bool) -> int:
    """JOIN every namespace that the container `linux` does not share with the host, through a pidfd of its first
    process; returns the pidfd. Nothing is made."""
    flags = 0
    for namespace in linux.namespaces:
        flags |= FLAGS.get(namespace.type, 0)
    try:
        fd = above_stdio(os.pidfd_open(pid))
    except ProcessLookupError:
        raise FailedPrecondition("the container is not running") from None
    plan.add(op.JOIN, fd, flags)
    plan.add(op.CLONE, 0, int(leave))
    return fd


def add_time(plan: Plan, linux: Linux) -> None:
    """TIME: a new time namespace with its offsets."""
    if "time" not in new_namespaces(linux):
        if linux.time_offsets:
            raise InvalidArgument("linux.timeOffsets needs a new time namespace")
        return
    unknown = set(linux.time_offsets) - {"monotonic", "boottime"}
    if unknown:
        raise InvalidArgument(f"linux.timeOffsets: unknown clock {sorted(unknown)[0]!r}")
    offsets = linux.time_offsets.items()
    plan.add(op.TIME, "".join(f"{clock} {offset.secs} {offset.nanosecs}\n" for clock, offset in offsets))


def add_id_maps(plan: Plan, linux: Linux, *, by_creator: bool) -> None:
    """ID_MAP for a new user namespace; a map that this process may not write itself is the creator's task."""
    if "user" not in new_namespaces(linux):
        return
    if not linux.uid_mappings or not linux.gid_mappings:
        raise InvalidArgument("a user namespace needs uidMappings and gidMappings")
    plan.add(
        op.ID_MAP,
        int(by_creator),
        int(os.geteuid() != 0 and not by_creator),
        userns.map_text(linux.uid_mappings),
        userns.map_text(linux.gid_mappings),
    )


def add_cgroup(plan: Plan, cgroup: CgroupHandle | None) -> None:
    if not cgroup:
        return
    if cgroup.clone_fd >= 0:
        plan.add(op.CGROUP_CLONE, cgroup.clone_fd)
    for fd in cgroup.join_fds:
        plan.add(op.CGROUP_TASKS, fd)
    if cgroup.oom_fd >= 0:
        plan.add(op.OOM, cgroup.oom_fd)
