"""The process of a specification: identity, privileges, limits, program, as the plan's last operations."""

from __future__ import annotations

import struct

from jubako.errors import InvalidArgument
from jubako.runtime import opcodes as op
from jubako.runtime.defaults import CAPABILITY_NUMBERS, RLIMITS
from jubako.runtime.hook_plan import add_hooks
from jubako.runtime.launch import Filter, Launch
from jubako.runtime.plan import Plan
from jubako.spec.oci_runtime import Capabilities, Process, Rlimit

_SIGKILL = 9
_UNSIGNED_MAX = (1 << 64) - 1


def add_process(plan: Plan, launch: Launch, *, held: int, single_id: bool, joins: bool = False) -> None:
    """Everything after the pivot. `held` are the capabilities that there are to give; `joins` says that it is one more
    process in a container, which startContainer hooks are not for.

    WAIT is as late as can be: what follows it, the container's start waits for.
    """
    process = launch.spec.process or Process()
    if not process.args:
        raise InvalidArgument("process.args is empty")
    if not process.cwd.startswith("/"):
        raise InvalidArgument(f"process.cwd '{process.cwd}' must be an absolute path")
    _add_surroundings(plan, process, keyring=launch.keyring)
    # Without no_new_privs a filter needs CAP_SYS_ADMIN, so that it is loaded before capabilities are dropped.
    early = launch.seccomp and not process.no_new_privileges
    find = launch.leave and not joins
    if early:
        _add_wait(plan, process, find=find)
        _add_filter(plan, launch.seccomp)
    _add_identity(plan, process, held, single_id=single_id)
    if process.no_new_privileges:
        plan.add(op.NO_NEW_PRIVILEGES)
    if not launch.leave:
        plan.add(op.PARENT_DEATH, _SIGKILL)  # a change of ids clears it, prctl(2): so after them
    if not early:
        _add_wait(plan, process, find=find)
        _add_filter(plan, launch.seccomp)
    if launch.spec.hooks and not joins:
        add_hooks(plan, launch.spec.hooks.start_container, launch.hook_state, process.env, start=True)
    if launch.preserve_fds:
        plan.add(op.PRESERVED, launch.preserve_fds)
    plan.add(op.EXECUTE, launch.preserve_fds, *process.args)


def _add_surroundings(plan: Plan, process: Process, *, keyring: bool) -> None:
    """Labels, limits, scheduling, directory and environment: all that takes the privileges of who makes the process."""
    if process.apparmor_profile or process.selinux_label:
        from jubako.runtime import labels

        labels.add_labels(plan, process)
    for limit in process.rlimits:
        _add_rlimit(plan, limit)
    if process.oom_score_adj is not None:
        plan.add(op.OOM_SCORE, process.oom_score_adj, int(process.oom_score_adj == 0))
    if not process.terminal:
        plan.add(op.SESSION)
    if process.scheduler or process.io_priority:
        from jubako.runtime import schedule

        schedule.add_priorities(plan, process)
    if keyring:
        plan.add(op.KEYRING)
    plan.add(op.DIRECTORY, process.cwd)
    plan.add(op.UMASK, 0o022 if process.user.umask is None else process.user.umask)
    plan.add(op.ENVIRONMENT, *process.env)


def _add_filter(plan: Plan, seccomp: Filter | None) -> None:
    if seccomp:
        plan.add(op.SECCOMP, seccomp.flags, seccomp.program)


def _add_wait(plan: Plan, process: Process, *, find: bool) -> None:
    """With `find`, whoever creates the container, and goes then, hears of a program that is not there."""
    if find:
        plan.add(op.FIND, process.args[0])
    plan.add(op.WAIT)


def _add_rlimit(plan: Plan, limit: Rlimit) -> None:
    number = RLIMITS.get(limit.type.removeprefix("RLIMIT_").lower())
    if number is None:
        raise InvalidArgument(f"unknown rlimit {limit.type}")
    if not all(-1 <= value <= _UNSIGNED_MAX for value in (limit.soft, limit.hard)):
        raise InvalidArgument(f"rlimit {limit.type} is out of range: {limit.soft}:{limit.hard}")
    plan.add(op.RLIMIT, number, _signed(limit.soft), _signed(limit.hard), 0)


def _signed(value: int) -> int:
    """A 64-bit limit as the plan's signed integer; all ones is RLIM_INFINITY."""
    value &= _UNSIGNED_MAX
    return value - (1 << 64) if value >> 63 else value


def _add_identity(plan: Plan, process: Process, held: int, *, single_id: bool) -> None:
    user = process.user
    sets = process.capabilities or Capabilities()
    if process.capabilities:
        plan.add(op.BOUNDING, mask(sets.bounding))
    keep = bool(process.capabilities and user.uid != 0)
    groups = struct.pack(f"={len(user.additional_gids)}I", *user.additional_gids)
    plan.add(op.USER, user.uid, user.gid, int(keep), int(not single_id), groups)
    if process.capabilities:
        effective, permitted, inheritable = (
            mask(some) & held for some in (sets.effective, sets.permitted, sets.inheritable)
        )
        # No other capability can be an ambient one, capabilities(7); asking for it is no error.
        ambient = mask(sets.ambient) & permitted & inheritable
        plan.add(op.CAPABILITIES, effective, permitted, inheritable, ambient)


def mask(names: list[str]) -> int:
    """The bits of a capability set."""
    bits = 0
    for name in names:
        if name not in CAPABILITY_NUMBERS:
            raise InvalidArgument(f"unknown capability {name}")
        bits |= 1 << CAPABILITY_NUMBERS[name]
    return bits
