"""The cpu row on v1: shares, bandwidth, real time, and the cpuset."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.linux.cgroup.files import read_text, write_text
from jubako.linux.cgroup.limits import Limit, set_limit, settle
from jubako.linux.cgroup.seam import PARENT
from jubako.spec.oci_runtime import CPUResources

if TYPE_CHECKING:  # slow to import, and few ask for real time
    from fractions import Fraction

_RUNTIME, _PERIOD = "cpu.rt_runtime_us", "cpu.rt_period_us"


def apply(directory: str, cpu: CPUResources) -> None:
    """Write what is set; 0 says nothing but for `idle` and `burst`."""
    if cpu.idle == 0:  # a group that is idle takes no shares
        _idle(directory, 0)
    if cpu.shares:
        _shares(directory, cpu.shares)
    settle(_bandwidth(directory, cpu))
    if cpu.realtime_runtime or cpu.realtime_period:
        _realtime(directory, cpu)
    if cpu.idle:
        _idle(directory, cpu.idle)


def apply_cpuset(directory: str, cpu: CPUResources) -> None:
    """Write the cpuset's lists; an empty one says nothing."""
    for file, name, text in (("cpuset.cpus", "cpu.cpus", cpu.cpus), ("cpuset.mems", "cpu.mems", cpu.mems)):
        if text:
            set_limit(directory, file, text, name)


def _idle(directory: str, value: int) -> None:
    if value or (directory and os.path.exists(f"{directory}/cpu.idle")):
        set_limit(directory, "cpu.idle", value, "cpu.idle")


def _shares(directory: str, shares: int) -> None:
    """The kernel takes any number and keeps the nearest that it can have: that is no success."""
    set_limit(directory, "cpu.shares", shares, "cpu.shares")
    kept = int(read_text(f"{directory}/cpu.shares"))
    if kept != shares:
        bound = "maximum" if shares > kept else "minimum"
        raise InvalidArgument(f"the {bound} allowed cpu-shares is {kept}")


def _bandwidth(directory: str, cpu: CPUResources) -> list[Limit]:
    values = [("period", cpu.period or None), ("quota", cpu.quota or None), ("burst", cpu.burst)]
    limits = [
        Limit(directory, f"cpu.cfs_{name}_us", str(value), f"cpu.{name}") for name, value in values if value is not None
    ]
    return [limit for limit in limits if limit.text != "0" or os.path.exists(f"{directory}/{limit.file}")]


def _realtime(directory: str, cpu: CPUResources) -> None:
    """A group's share of real time comes out of its parents', which have none until they are given some."""
    values = [
        (_PERIOD, cpu.realtime_period, "cpu.realtimePeriod"),
        (_RUNTIME, cpu.realtime_runtime, "cpu.realtimeRuntime"),
    ]
    limits = [Limit(directory, file, str(value), name) for file, value, name in values if value]
    try:
        settle(limits)
    except InvalidArgument:
        runtime, period = (cpu.realtime_runtime or 0), cpu.realtime_period or _number(directory, _PERIOD)
        if runtime <= 0:
            raise
        from fractions import Fraction

        _give_parents(directory, Fraction(runtime, period))
        settle(limits)


def _give_parents(directory: str, share: Fraction) -> None:
    """Let every group of ours above `directory` have what its children have, with `share` for this one.

    They keep it when this one ends: to take it back could take it from another that is just given some.
    """
    from math import ceil

    needed: list[tuple[str, Fraction]] = []
    child, parent = directory, os.path.dirname(directory)
    while os.path.basename(child) != PARENT and PARENT in parent.split("/"):
        others = [entry.path for entry in os.scandir(parent) if entry.is_dir() and entry.path != child]
        share = max(_share(parent), share + sum(map(_share, others)))
        needed.append((parent, share))
        child, parent = parent, os.path.dirname(parent)
    for path, wanted in reversed(needed):
        try:
            write_text(f"{path}/{_RUNTIME}", str(ceil(wanted * _number(path, _PERIOD))))
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            raise FailedPrecondition("cannot set cpu.realtimeRuntime: the host has not that much real time") from None


def _share(directory: str) -> Fraction:
    from fractions import Fraction

    return Fraction(_number(directory, _RUNTIME), _number(directory, _PERIOD))


def _number(directory: str, file: str) -> int:
    return int(read_text(f"{directory}/{file}"))
