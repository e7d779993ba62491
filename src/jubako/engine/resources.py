"""Limits and namespaces of a container, from options to the runtime specification."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from jubako.engine.options import CreateOptions, SharedOptions
from jubako.linux import cgroup
from jubako.runtime import defaults
from jubako.spec.oci_runtime import (
    CPUResources,
    DeviceRule,
    MemoryResources,
    PidsResources,
    Resources,
)

_CPU_PERIOD_US = 100_000


def compile_resources(options: CreateOptions) -> Resources:
    """What the container's cgroup enforces."""
    limits = compile_limits(options)
    limits.devices = [DeviceRule(allow=True)] if options.privileged else list(defaults.DEVICE_RULES)
    return limits


def compile_limits(options: SharedOptions) -> Resources:
    """Limits, of a container or of a pod. Memory without a swap limit allows as much swap again, as Docker."""
    return Resources(
        memory=_memory(options),
        cpu=_cpu(options),
        pids=PidsResources(limit=options.pids_limit) if options.pids_limit > 0 else None,
    )


def attainable(limits: Resources, controllers: Collection[str]) -> tuple[Resources, list[str]]:
    """What of the limits these controllers of v2 can set, and the names of what is left out."""
    cpu, lost = limits.cpu, []
    found = msgspec.structs.replace(limits)
    if limits.memory and "memory" not in controllers:
        found.memory = None
        lost.append("memory")
    if cpu and "cpu" not in controllers and (cpu.shares or cpu.quota or cpu.period):
        cpu = msgspec.structs.replace(cpu, shares=None, quota=None, period=None)
        lost.append("CPU")
    if cpu and "cpuset" not in controllers and (cpu.cpus or cpu.mems):
        cpu = msgspec.structs.replace(cpu, cpus="", mems="")
        lost.append("CPU sets")
    if limits.pids and "pids" not in controllers:
        found.pids = None
        lost.append("processes")
    found.cpu = cpu
    return found, lost


def _memory(options: SharedOptions) -> MemoryResources | None:
    if not (options.memory or options.memory_reservation or options.memory_swap):
        return None
    swap = options.memory_swap
    if options.memory and not swap and cgroup.usable().accounts_swap():
        swap = 2 * options.memory
    return MemoryResources(
        limit=options.memory or None, reservation=options.memory_reservation or None, swap=swap or None
    )


def _cpu(options: SharedOptions) -> CPUResources | None:
    quota, period = options.cpu_quota, options.cpu_period
    if options.nano_cpus:
        quota, period = options.nano_cpus * _CPU_PERIOD_US // 1_000_000_000, _CPU_PERIOD_US
    if not (quota or period or options.cpu_shares or options.cpuset_cpus or options.cpuset_mems):
        return None
    return CPUResources(
        shares=options.cpu_shares or None,
        quota=quota or None,
        period=period or None,
        cpus=options.cpuset_cpus,
        mems=options.cpuset_mems,
    )
