"""The memory row on v1. Values as runc takes them: 0 says nothing, -1 is no limit."""

from __future__ import annotations

import errno
import os

from jubako.errors import FailedPrecondition, InvalidArgument, JubakoError
from jubako.linux.cgroup.files import read_text, write_text
from jubako.linux.cgroup.limits import Limit, check_bytes, refusal, set_limit
from jubako.spec.oci_runtime import MemoryResources

_LIMIT, _SWAP = "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"


def apply(directory: str, memory: MemoryResources) -> None:
    """Write what is set. Limits of the kernel's memory are ignored: the kernel has given them up, and so has runc."""
    limit, swap = check_bytes("memory.limit", memory.limit), check_bytes("memory.swap", memory.swap)
    _limits(directory, limit, _accounted(directory, limit, swap))
    if reservation := check_bytes("memory.reservation", memory.reservation):
        set_limit(directory, "memory.soft_limit_in_bytes", reservation, "memory.reservation")
    if memory.swappiness not in (None, -1):
        if not 0 <= memory.swappiness <= 100:
            raise InvalidArgument(f"invalid value: {memory.swappiness}. valid memory swappiness range is 0-100")
        set_limit(directory, "memory.swappiness", memory.swappiness, "memory.swappiness")
    if memory.use_hierarchy is not None:
        set_limit(directory, "memory.use_hierarchy", int(memory.use_hierarchy), "memory.useHierarchy")
    if memory.disable_oom_killer is not None:
        _oom_killer(directory, disable=memory.disable_oom_killer)


def _oom_killer(directory: str, *, disable: bool) -> None:
    """Leave it as it is where nothing changes: a host without the controller has it enabled, too."""
    if disable or (directory and "oom_kill_disable 1" in read_text(f"{directory}/memory.oom_control")):
        set_limit(directory, "memory.oom_control", int(disable), "memory.disableOOMKiller")


def _accounted(directory: str, limit: int, swap: int) -> int:
    """The limit of memory and swap together that there is to write."""
    if limit == -1 and not swap:
        swap = -1
    if not swap or not directory or os.path.exists(f"{directory}/{_SWAP}"):
        return swap
    if swap not in (-1, limit):
        raise FailedPrecondition("cannot set memory.swap: this kernel does not account swap")
    return 0


def _limits(directory: str, limit: int, swap: int) -> None:
    """memsw may never be below limit, so that growing starts with memsw and shrinking with the limit."""
    if 0 < swap < limit:
        raise InvalidArgument("memory+swap limit should be >= memory limit")
    writes = [Limit(directory, _LIMIT, str(limit), "memory.limit")] if limit else []
    if swap:
        writes.append(Limit(directory, _SWAP, str(swap), "memory.swap"))
    if len(writes) == 2 and directory and (swap == -1 or _number(directory, _LIMIT) < swap):
        writes.reverse()
    for write in writes:
        try:
            if not directory:
                raise FileNotFoundError(directory)
            write_text(f"{directory}/{write.file}", write.text)
        except OSError as error:
            raise _explained(write, error) from None


def _explained(write: Limit, error: OSError) -> JubakoError:
    if error.errno == errno.EBUSY:
        usage, peak = (_number(write.directory, f"memory.{kind}_in_bytes") for kind in ("usage", "max_usage"))
        text = (
            f"unable to set {write.name.replace('.', ' ')} to {write.text} (current usage: {usage}, peak usage: {peak})"
        )
        return InvalidArgument(text)
    if error.errno == errno.EINVAL and write.file == _LIMIT:
        swap = _number(write.directory, _SWAP)
        return InvalidArgument(f"cannot set memory.limit to {write.text}: above the memory+swap limit of {swap}")
    if error.errno == errno.EINVAL:
        limit = _number(write.directory, _LIMIT)
        return InvalidArgument(f"cannot set memory.swap to {write.text}: below the memory limit of {limit}")
    return refusal(write, error)


def _number(directory: str, file: str) -> int:
    try:
        return int(read_text(f"{directory}/{file}"))
    except FileNotFoundError:
        return 0
