"""pause, resume, ps, update and events: what is done to a container's group while it runs."""

from __future__ import annotations

import os
import sys
import time

import msgspec

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.linux import cgroup
from jubako.linux.cgroup import CgroupHandle, Stats
from jubako.runtime import ps
from jubako.runtime.oci.arguments import Arguments
from jubako.runtime.oci.containers import Container
from jubako.spec.oci_runtime import BlockIOResources, CPUResources, MemoryResources, PidsResources, Resources

_CPU = {
    "cpu-share": "shares",
    "cpu-quota": "quota",
    "cpu-period": "period",
    "cpu-burst": "burst",
    "cpu-rt-period": "realtime_period",
    "cpu-rt-runtime": "realtime_runtime",
    "cpu-idle": "idle",
}
_CPUSETS = {"cpuset-cpus": "cpus", "cpuset-mems": "mems"}
_MEMORY = {"memory": "limit", "memory-reservation": "reservation", "memory-swap": "swap"}
_SUFFIXES = {"": 0, "b": 0, "k": 10, "m": 20, "g": 30, "t": 40}


def pause(container: Container) -> None:
    """Freeze every process."""
    if container.status() not in ("created", "running"):
        raise FailedPrecondition("container not running")
    _group(container, "pause").freeze()


def resume(container: Container) -> None:
    if container.status() != "paused":
        raise FailedPrecondition("container not paused")
    _group(container, "resume").thaw()


def processes(container: Container, arguments: Arguments) -> str:
    """`ps`: the pids as JSON, or ps(1)'s lines of them with its own options."""
    pids = _group(container, "ps").pids()
    kind = arguments.option("format", "table")
    if kind == "json":
        return msgspec.json.encode(pids).decode() + "\n"
    if kind != "table":
        raise InvalidArgument(f"invalid format option: {kind}")
    head, lines = ps.lines_of(pids, arguments.words[1:] or ["-ef"])
    return "".join(f"{line}\n" for line in [head, *lines])


def update(container: Container, arguments: Arguments) -> None:
    """Change limits: from --resources FILE (- is standard input), or from the other options."""
    if container.status() == "stopped":
        raise FailedPrecondition("container not running")
    path = arguments.option("resources")
    resources = _read(path) if path else _from_options(arguments)
    _group(container, "update").update(resources)


def events(container: Container, arguments: Arguments) -> None:
    """Print a line of JSON for each moment's use: one with --stats, else every --interval until the container ends."""
    interval_s = _interval_s(arguments.option("interval", "5s"))
    if container.status() in ("creating", "stopped"):
        raise FailedPrecondition(f"container with id {container.record.id} is not running")
    group = _group(container, "events")
    while container.alive():
        _print({"type": "stats", "id": container.record.id, "data": _stats(group.stats())})
        if arguments.given("stats"):
            return
        time.sleep(interval_s)


def _group(container: Container, command: str) -> CgroupHandle:
    if not container.record.cgroup:
        raise FailedPrecondition(f"{command}: container {container.record.id} has no cgroup of its own")
    return cgroup.manager().open(container.record.cgroup)


def _read(path: str) -> Resources:
    if path == "-":
        data = sys.stdin.buffer.read()
    else:
        with open(path, "rb") as file:
            data = file.read()
    try:
        return msgspec.json.decode(data, type=Resources)
    except msgspec.MsgspecError as error:
        raise InvalidArgument(f"{path}: {error}") from None


def _from_options(arguments: Arguments) -> Resources:
    given = arguments.options
    cpu = {field: _number(name, given[name]) for name, field in _CPU.items() if name in given}
    sets = {field: given[name] for name, field in _CPUSETS.items() if name in given}
    memory = {field: _size(name, given[name]) for name, field in _MEMORY.items() if name in given}
    weight, pids = given.get("blkio-weight"), given.get("pids-limit")
    return Resources(
        cpu=msgspec.structs.replace(CPUResources(), **cpu, **sets) if cpu or sets else None,
        memory=msgspec.structs.replace(MemoryResources(), **memory) if memory else None,
        pids=PidsResources(limit=_number("pids-limit", pids)) if pids else None,
        block_io=BlockIOResources(weight=_number("blkio-weight", weight)) if weight else None,
    )


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidArgument(f"invalid value for {name}: {text}") from None


def _size(name: str, text: str) -> int:
    """Bytes of `512m`, `1GiB`, `-1`."""
    digits = text.rstrip("bBiIkKmMgGtT")
    unit = text[len(digits) :].lower().removesuffix("ib").removesuffix("b")
    if unit not in _SUFFIXES:
        raise InvalidArgument(f"invalid value for {name}: {text}")
    return _number(name, digits) << _SUFFIXES[unit]


def _interval_s(text: str) -> float:
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    number = text.rstrip("msh")
    try:
        interval_s = float(number) * units[text[len(number) :] or "s"]
    except (ValueError, KeyError):
        raise InvalidArgument(f"invalid duration: {text}") from None
    if interval_s <= 0:
        raise InvalidArgument("duration interval must be greater than 0")
    return interval_s


def _stats(now: Stats) -> dict[str, object]:
    """The shape of runc's events, of what we measure."""
    return {
        "cpu": {"usage": {"total": now.cpu_ns, "kernel": now.cpu_system_ns, "user": now.cpu_user_ns}},
        "memory": {
            "cache": now.memory_cache_bytes,
            "usage": {"usage": now.memory_bytes, "limit": now.memory_limit},
        },
        "pids": {"current": now.pids, "limit": now.pids_limit},
        "blkio": {
            "ioServiceBytesRecursive": [
                {"op": "Read", "value": now.block_read_bytes},
                {"op": "Write", "value": now.block_write_bytes},
            ]
        },
    }


def _print(document: dict[str, object]) -> None:
    os.write(1, msgspec.json.encode(document) + b"\n")
