"""The memory row on v2, where swap is counted alone. Values as runc takes them: 0 says nothing, -1 is no limit."""

from __future__ import annotations

import os

from jubako.errors import InvalidArgument
from jubako.linux.cgroup.files import read_text
from jubako.linux.cgroup.limits import check_bytes, set_limit
from jubako.spec.oci_runtime import MemoryResources


def apply(directory: str, memory: MemoryResources) -> None:
    """Write what is set. Limits of the kernel's memory are ignored: the kernel has given them up, and so has runc."""
    _refuse(memory)
    limit, swap = check_bytes("memory.limit", memory.limit), check_bytes("memory.swap", memory.swap)
    if memory.check_before_update:
        _check_use(directory, limit, swap)
    alone = swap_alone(limit or _number(directory, "memory.max"), swap or _total(directory, limit))
    # Without swap accounting there is no file, and nothing that would have to be unlimited or switched off.
    if alone and not (alone in ("max", "0") and not os.path.exists(f"{directory}/memory.swap.max")):
        set_limit(directory, "memory.swap.max", alone, "memory.swap")
    if limit:
        set_limit(directory, "memory.max", limit if limit > 0 else "max", "memory.limit")
    if reservation := check_bytes("memory.reservation", memory.reservation):
        set_limit(directory, "memory.low", reservation if reservation > 0 else "max", "memory.reservation")


def swap_alone(limit: int, swap: int) -> str:
    """memory.swap.max for v1's two limits, 0 for one that is not known; "" where there is nothing to write."""
    if not swap:
        return ""
    if swap == -1:
        return "max"
    if limit == 0:
        raise InvalidArgument("unable to set swap limit without memory limit")
    if limit == -1:
        return str(swap)
    if swap < limit:
        raise InvalidArgument("memory+swap limit should be >= memory limit")
    return str(swap - limit)


def _total(directory: str, limit: int) -> int:
    """The limit of both together that stays while `limit` of memory alone changes: v1's file would keep it."""
    if limit <= 0:
        return limit
    memory, swap = _number(directory, "memory.max"), _number(directory, "memory.swap.max", none=-1)
    return memory + swap if memory > 0 and swap >= 0 else 0


def _check_use(directory: str, limit: int, swap: int) -> None:
    """v1's kernel refuses a limit below what is in use; v2's kills, so that asking first is asked for."""
    use = _number(directory, "memory.current")
    for name, value in (("memory+swap", swap), ("memory", limit)):
        if 0 < value <= use:
            raise InvalidArgument(f"rejecting {name} limit {value} <= usage {use}")


def _refuse(memory: MemoryResources) -> None:
    """The specification: what has no equivalent is an error."""
    lost = {
        "swappiness": memory.swappiness not in (None, -1),
        "disableOOMKiller": bool(memory.disable_oom_killer),
        "useHierarchy": memory.use_hierarchy is False,
    }
    for name, is_asked in lost.items():
        if is_asked:
            raise InvalidArgument(f"cannot set memory.{name}: cgroup v2 has no such setting")


def _number(directory: str, file: str, *, none: int = 0) -> int:
    """A number of a control file; `none` for "max", and where there is no file."""
    try:
        text = read_text(f"{directory}/{file}").strip()
    except FileNotFoundError:
        return none
    return int(text) if text.isdecimal() else none
