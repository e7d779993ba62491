"""Start containers and further processes in them: compile a plan, spawn the executor, hand out a Handle.

Concurrency:  thread-safe; every call spawns a process of its own (posix_spawn, never fork).
Invariant:    a call that raises leaves no process, fd or mount behind.
"""

from __future__ import annotations

import os
import signal
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.linux import fd as fds_of
from jubako.linux import proc
from jubako.linux.cgroup import CgroupHandle
from jubako.runtime import devices, filesystem, namespaces, process, program
from jubako.runtime import opcodes as op
from jubako.runtime.attach import Attached
from jubako.runtime.handle import Handle
from jubako.runtime.launch import Exit, Filter, Launch, LogFile
from jubako.runtime.plan import Plan
from jubako.spec.oci_runtime import Linux, Process, Spec

__all__ = ["Exit", "Handle", "Launch", "LogFile", "create", "exec_"]

_STDIO = {"null": op.STDIO_NULL, "pipe": op.STDIO_PIPE, "inherit": op.STDIO_INHERIT}


class _Fds:
    """The fds of one spawn: `inherited` go to the executor; `owned` of them and `group`'s are closed afterwards."""

    def __init__(self) -> None:
        self.inherited: list[int] = []
        self.owned: list[int] = []
        self.group: CgroupHandle | None = None

    def give(self, fd: int) -> int:
        self.inherited.append(fd)
        self.owned.append(fd)
        return fd

    def lend(self, fds: Sequence[int]) -> None:
        self.inherited += fds

    def lend_group(self, group: CgroupHandle) -> None:
        """It opened these files for us; it opens them anew should it need them again."""
        self.group = group
        self.lend([fd for fd in (group.clone_fd, group.oom_fd, *group.join_fds) if fd >= 0])

    def close(self) -> None:
        fds_of.close_all(self.owned)
        self.owned.clear()
        if self.group:
            self.group.close()


def create(launch: Launch) -> Handle:
    """Make the container's first process, which goes on with its mounts and then waits for Handle.start()."""
    linux = launch.spec.linux or Linux()
    by_creator = needs_helpers(linux)
    fds = _Fds()
    try:
        plan = _plan(launch, linux, fds, by_creator=by_creator)
        return _spawn(plan, launch, fds, linux if by_creator else None)
    finally:
        fds.close()


def plan_of(launch: Launch) -> bytes:
    """What `create` would have the first process do, encoded; nothing is made."""
    linux = launch.spec.linux or Linux()
    fds = _Fds()
    try:
        return _plan(launch, linux, fds, by_creator=needs_helpers(linux)).encode()
    finally:
        fds.close()


def _plan(launch: Launch, linux: Linux, fds: _Fds, *, by_creator: bool) -> Plan:
    spec, plan = launch.spec, Plan()
    namespaces.add_namespaces(plan, linux, fds.give, leave=launch.leave)
    namespaces.add_id_maps(plan, linux, by_creator=by_creator)
    _add_cgroup(plan, launch.cgroup, fds)
    plan.add(op.AFFINITY, b"")
    filesystem.add_filesystem(plan, launch, fds.give)
    _add_identity_of_host(plan, spec, linux)
    _add_agent(plan, launch.seccomp, fds)
    _add_policies(plan, linux)
    process.add_process(plan, launch, held=_held(linux), single_id=_single_id(linux))
    return plan


def exec_(init_pid: int, launch: Launch) -> Handle:
    """Make one more process in the namespaces of the process `init_pid`. `launch.spec` is the container's, but for the
    process."""
    fds = _Fds()
    try:
        return _spawn(_plan_of_exec(init_pid, launch, fds), launch, fds, None)
    finally:
        fds.close()


@contextmanager
def probe_plan(init_pid: int, launch: Launch, *, channel: int, output: int) -> Iterator[tuple[int, list[int]]]:
    """The plan of an exec that a container's monitor performs: an fd of it, and the fds that it names, the run
    directory first. `channel` and `output` are the numbers of what the monitor makes each time."""
    fds = _Fds()
    try:
        fds.give(os.open(launch.run_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        plan = _plan_of_exec(init_pid, launch, fds)
        null = fds.give(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        plan.add(op.INIT_CHANNEL, channel, -1)
        plan.add(op.RUN_DIR, fds.inherited[0])
        plan.add(op.STDIO, op.STDIO_INHERIT, 0, null, output, output)
        plan.add(op.ATTACH, -1, 0, 0)
        plan.add(op.CREATOR_DEATH, signal.SIGKILL)
        plan_fd = fds.give(fds_of.sealed_memory("plan", plan.encode()))
        yield plan_fd, fds.inherited[:-1]
    finally:
        fds.close()


def _plan_of_exec(init_pid: int, launch: Launch, fds: _Fds) -> Plan:
    linux, asked = launch.spec.linux or Linux(), launch.spec.process or Process()
    plan = Plan()
    fds.give(namespaces.add_joins(plan, linux, init_pid, leave=launch.leave))
    _add_cgroup(plan, launch.cgroup, fds)
    if asked.terminal:
        devices.add_console(plan, asked, launch.console_socket, plain=launch.plain_lines)
    plan.add(op.AFFINITY, b"")
    if asked.exec_cpu_affinity:
        from jubako.runtime import schedule

        schedule.add_affinity(plan, asked.exec_cpu_affinity)
    _add_policies(plan, linux)
    _add_agent(plan, launch.seccomp, fds)
    process.add_process(plan, launch, held=_held(linux), single_id=_single_id(linux), joins=True)
    return plan


def needs_helpers(linux: Linux) -> bool:
    """Whether newuidmap must write the id maps: an ordinary user may map nothing but itself."""
    if "user" not in namespaces.new_namespaces(linux) or os.geteuid() == 0:
        return False
    from jubako.linux import userns

    return not userns.is_own_id(linux.uid_mappings, linux.gid_mappings)


def _held(linux: Linux) -> int:
    """Capabilities that can be given: what this process may use, or all of them in another user namespace.

    A privileged container on a host that itself lacks some gets the rest, as with Docker.
    """
    if namespaces.in_user_namespace(linux):
        return (1 << 63) - 1
    return proc.permitted_capabilities()


def _single_id(linux: Linux) -> bool:
    """A map of one id that its user wrote has setgroups(2) denied, and so has what lies beneath such a namespace."""
    from jubako.linux import userns

    if not namespaces.in_user_namespace(linux):
        return not userns.is_initial() and userns.denies_groups()
    return (os.geteuid() != 0 and sum(m.size for m in linux.gid_mappings) == 1) or userns.denies_groups()


def _add_cgroup(plan: Plan, cgroup: CgroupHandle | None, fds: _Fds) -> None:
    if cgroup:
        cgroup.reach(program.parent().pid)
        fds.lend_group(cgroup)
    namespaces.add_cgroup(plan, cgroup)


def _add_agent(plan: Plan, seccomp: Filter | None, fds: _Fds) -> None:
    """Connected now: what the container is later, its agent's path does not depend on."""
    if not seccomp or not seccomp.agent:
        return
    path = seccomp.agent.path
    try:
        connection = fds.give(fds_of.connect_stream(path))
    except OSError as error:
        said = f"failed to connect with seccomp agent at listenerPath {path}: {error.strerror}"
        raise FailedPrecondition(said) from None
    plan.add(op.AGENT, connection, path, *seccomp.agent.pieces)


def _add_identity_of_host(plan: Plan, spec: Spec, linux: Linux) -> None:
    """Names and the loopback device belong to namespaces; a shared one is not touched."""
    made = namespaces.new_namespaces(linux)
    if spec.hostname and "uts" in made:
        plan.add(op.HOSTNAME, spec.hostname)
    if spec.domainname and "uts" in made:
        plan.add(op.DOMAINNAME, spec.domainname)
    if "network" in made:
        plan.add(op.LOOPBACK)


def _add_policies(plan: Plan, linux: Linux) -> None:
    if linux.personality or linux.memory_policy:
        from jubako.runtime import schedule

        schedule.add_policies(plan, linux)
    if linux.intel_rdt:
        raise InvalidArgument("linux.intelRdt is not supported")


def _spawn(plan: Plan, launch: Launch, fds: _Fds, map_ids: Linux | None) -> Handle:
    control, theirs = fds_of.packet_pair()
    fds.give(theirs)
    channel, childs = fds_of.packet_pair()
    fds.give(childs)
    attached = None
    try:
        attached = _add_monitor(plan, launch, fds, childs)
        monitor = program.spawn(plan.encode(), theirs, fds.inherited)
    except BaseException:
        fds_of.close_all([control, channel, attached.fileno() if attached else -1])
        raise
    fds.close()
    handle = Handle(control, channel, monitor, attached)
    try:
        if map_ids:
            handle.expect(op.MESSAGE_ID_MAP)
            _map_ids(handle.pid, control, map_ids)
        handle.expect(op.MESSAGE_CLONED)
    except BaseException:
        handle.abandon()
        raise
    return handle


def _map_ids(pid: int, control: int, linux: Linux) -> None:
    from jubako.linux import userns

    userns.map_with_helpers(pid, linux.uid_mappings, linux.gid_mappings)
    os.write(control, struct.pack("=II", op.MESSAGE_ID_MAP_DONE, 0))


def _add_monitor(plan: Plan, launch: Launch, fds: _Fds, childs: int) -> Attached | None:
    """What the monitor needs; returns the creator's end of its own stream connection, when it asked for one."""
    terminal = bool(launch.spec.process and launch.spec.process.terminal)
    plan.add(op.INIT_CHANNEL, childs, launch.start_listener)
    if launch.start_listener >= 0:
        fds.give(launch.start_listener)
    plan.add(op.RUN_DIR, fds.give(os.open(launch.run_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)))
    kind = op.STDIO_TERMINAL if terminal else _STDIO[launch.stdio]
    streams = [-1, -1, -1]
    if kind == op.STDIO_INHERIT:
        streams = [fds.give(fds_of.duplicate(fd)) for fd in launch.inherit_fds]
    plan.add(op.STDIO, kind, int(launch.stdin), *streams)
    if launch.log:
        form = op.LOG_CRI if launch.log.cri else op.LOG_JSON
        plan.add(op.LOG, launch.log.max_size_bytes, launch.log.max_files, form, launch.log.path)
    primary, attached = -1, None
    if launch.attach:
        mine, primary = fds_of.packet_pair()
        attached = Attached(mine)
        fds.give(primary)
    streaming = kind in (op.STDIO_PIPE, op.STDIO_TERMINAL)
    plan.add(op.ATTACH, primary, int(streaming and launch.listen), int(launch.stdin_once))
    if launch.cleanup:
        plan.add(op.CLEANUP, *launch.cleanup)
    if launch.notice:
        plan.add(op.NOTICE, *launch.notice)
    if launch.die_with_creator:
        plan.add(op.CREATOR_DEATH, signal.SIGKILL)
    fds.lend(launch.keep_fds)
    fds.lend(range(3, 3 + launch.preserve_fds))
    fds.lend([fd for fd in (launch.console_socket, launch.hook_state) if fd >= 0])
    return attached
