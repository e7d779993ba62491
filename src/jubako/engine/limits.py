"""Limits that nothing could have, refused in Docker's words before anything is made."""

from __future__ import annotations

import os

from jubako.engine.options import SharedOptions
from jubako.errors import InvalidArgument
from jubako.linux import numberlist

_LEAST_BYTES = 6 << 20
_LEAST_PERIOD_US, _MOST_PERIOD_US = 1000, 1_000_000
_ONLINE = {"CPUs": "/sys/devices/system/cpu/online", "memory nodes": "/sys/devices/system/node/online"}


def validate(options: SharedOptions) -> None:
    """Raise InvalidArgument for limits of memory or processors that contradict each other or this machine."""
    _memory(options)
    _cpu(options)
    for what, short, text in (("CPUs", "cpus", options.cpuset_cpus), ("memory nodes", "mems", options.cpuset_mems)):
        if text:
            _cpuset(what, short, text)


def _memory(options: SharedOptions) -> None:
    memory, reservation, swap = options.memory, options.memory_reservation, options.memory_swap
    if memory and memory < _LEAST_BYTES:
        raise InvalidArgument("Minimum memory limit allowed is 6MB")
    if memory and 0 < swap < memory:
        raise InvalidArgument("Minimum memoryswap limit should be larger than memory limit, see usage")
    if not memory and swap > 0:
        raise InvalidArgument("You should always set the Memory limit when using Memoryswap limit, see usage")
    if reservation and reservation < _LEAST_BYTES:
        raise InvalidArgument("Minimum memory reservation allowed is 6MB")
    if memory and memory < reservation:
        raise InvalidArgument("Minimum memory limit can not be less than memory reservation limit, see usage")


def _cpu(options: SharedOptions) -> None:
    cpus = os.cpu_count() or 1
    if options.nano_cpus < 0 or options.nano_cpus > cpus * 1_000_000_000:
        raise InvalidArgument(f"Range of CPUs is from 0.01 to {cpus}.00, as there are only {cpus} CPUs available")
    for name, value in (("Period", options.cpu_period), ("Quota", options.cpu_quota)):
        if options.nano_cpus and value:
            raise InvalidArgument(f"Conflicting options: Nano CPUs and CPU {name} cannot both be set")
    if options.cpu_period and not _LEAST_PERIOD_US <= options.cpu_period <= _MOST_PERIOD_US:
        raise InvalidArgument("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)")
    if 0 < options.cpu_quota < _LEAST_PERIOD_US:
        raise InvalidArgument("CPU cfs quota can not be less than 1ms (i.e. 1000)")


def _cpuset(what: str, short: str, text: str) -> None:
    try:
        wanted = numberlist.mask(text)
    except ValueError:
        raise InvalidArgument(f"Invalid value {text} for cpuset {short}: invalid format: {text}") from None
    try:
        with open(_ONLINE[what]) as file:
            there = file.read().strip()
    except OSError:
        return  # a kernel without NUMA has no list of nodes
    if wanted & ~numberlist.mask(there):
        raise InvalidArgument(f"Requested {what} are not available - requested {text}, available: {there}")
