"""Processor, disk and memory scheduling of a process, as operations of the plan.

Spec: OCI runtime-spec, config.md "Linux Process", config-linux.md "Personality" and "Memory policy"; sched_setattr(2),
ioprio_set(2), sched_setaffinity(2), personality(2), set_mempolicy(2).
"""

from __future__ import annotations

from jubako.errors import InvalidArgument
from jubako.linux import numberlist
from jubako.runtime import opcodes as op
from jubako.runtime.plan import Plan
from jubako.spec.oci_runtime import CPUAffinity, IOPriority, Linux, MemoryPolicy, Personality, Process, Scheduler

_POLICIES = {
    "SCHED_OTHER": 0,
    "SCHED_FIFO": 1,
    "SCHED_RR": 2,
    "SCHED_BATCH": 3,
    "SCHED_ISO": 4,
    "SCHED_IDLE": 5,
    "SCHED_DEADLINE": 6,
}
_FLAGS = {
    "SCHED_FLAG_RESET_ON_FORK": 0x01,
    "SCHED_FLAG_RECLAIM": 0x02,
    "SCHED_FLAG_DL_OVERRUN": 0x04,
    "SCHED_FLAG_KEEP_POLICY": 0x08,
    "SCHED_FLAG_KEEP_PARAMS": 0x10,
    "SCHED_FLAG_UTIL_CLAMP_MIN": 0x20,
    "SCHED_FLAG_UTIL_CLAMP_MAX": 0x40,
}
_IO_CLASSES = {"IOPRIO_CLASS_RT": 1, "IOPRIO_CLASS_BE": 2, "IOPRIO_CLASS_IDLE": 3}
_PERSONALITIES = {"LINUX": 0x0000, "LINUX32": 0x0008}
_MEMORY_MODES = {
    "MPOL_DEFAULT": 0,
    "MPOL_PREFERRED": 1,
    "MPOL_BIND": 2,
    "MPOL_INTERLEAVE": 3,
    "MPOL_LOCAL": 4,
    "MPOL_PREFERRED_MANY": 5,
    "MPOL_WEIGHTED_INTERLEAVE": 6,
}
_MEMORY_FLAGS = {"MPOL_F_STATIC_NODES": 1 << 15, "MPOL_F_RELATIVE_NODES": 1 << 14, "MPOL_F_NUMA_BALANCING": 1 << 13}


def add_priorities(plan: Plan, process: Process) -> None:
    """The processor's and the disks', where they are asked for."""
    if process.scheduler:
        _add_scheduler(plan, process.scheduler)
    if process.io_priority:
        _add_io_priority(plan, process.io_priority)


def _add_scheduler(plan: Plan, scheduler: Scheduler) -> None:
    if scheduler.policy not in _POLICIES:
        raise InvalidArgument(f"process.scheduler.policy: unknown policy {scheduler.policy!r}")
    plan.add(
        op.SCHEDULER,
        _POLICIES[scheduler.policy],
        scheduler.nice,
        scheduler.priority,
        _bits(scheduler.flags, _FLAGS, "process.scheduler.flags"),
        scheduler.runtime,
        scheduler.deadline,
        scheduler.period,
    )


def _add_io_priority(plan: Plan, priority: IOPriority) -> None:
    if priority.class_ not in _IO_CLASSES:
        raise InvalidArgument(f"process.ioPriority.class: unknown class {priority.class_!r}")
    if not 0 <= priority.priority <= 7:
        raise InvalidArgument(f"process.ioPriority.priority: {priority.priority} is not between 0 and 7")
    plan.add(op.IO_PRIORITY, _IO_CLASSES[priority.class_] << 13 | priority.priority)


def add_affinity(plan: Plan, affinity: CPUAffinity) -> None:
    """Before the cgroup is joined, and after; neither is for a container's first process."""
    if affinity.initial:
        plan.add(op.FIRST_AFFINITY, mask(affinity.initial, "process.execCPUAffinity.initial"))
    if affinity.final:
        plan.add(op.AFFINITY, mask(affinity.final, "process.execCPUAffinity.final"))


def add_policies(plan: Plan, linux: Linux) -> None:
    """What holds for every process of a container."""
    if linux.personality:
        _add_personality(plan, linux.personality)
    if linux.memory_policy:
        _add_memory_policy(plan, linux.memory_policy)


def _add_personality(plan: Plan, personality: Personality) -> None:
    if personality.domain not in _PERSONALITIES:
        raise InvalidArgument(f"linux.personality.domain: unknown domain {personality.domain!r}")
    if personality.flags:
        raise InvalidArgument("linux.personality.flags: none is defined by the specification")
    plan.add(op.PERSONALITY, _PERSONALITIES[personality.domain])


def _add_memory_policy(plan: Plan, policy: MemoryPolicy) -> None:
    if policy.mode not in _MEMORY_MODES:
        raise InvalidArgument(f"linux.memoryPolicy.mode: unknown mode {policy.mode!r}")
    flags = _bits(policy.flags, _MEMORY_FLAGS, "linux.memoryPolicy.flags")
    nodes = mask(policy.nodes, "linux.memoryPolicy.nodes") if policy.nodes else b""
    plan.add(op.MEMORY_POLICY, _MEMORY_MODES[policy.mode] | flags, nodes)


def mask(text: str, name: str) -> bytes:
    """A list such as 0-3,8 as a mask of whole 64-bit words."""
    try:
        bits = numberlist.mask(text)
    except ValueError as error:
        raise InvalidArgument(f"{name}: {error}") from None
    return bits.to_bytes(-(-bits.bit_length() // 64) * 8, "little")


def _bits(names: list[str], table: dict[str, int], where: str) -> int:
    bits = 0
    for name in names:
        if name not in table:
            raise InvalidArgument(f"{where}: unknown flag {name!r}")
        bits |= table[name]
    return bits
