"""`update`: new limits for a container, from a file or from options. What is not named stays as it is."""

from __future__ import annotations

import re
import sys

import msgspec

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.runtime.oci.arguments import Arguments
from jubako.runtime.oci.containers import Container
from jubako.runtime.oci.control import group_of
from jubako.spec import decoding
from jubako.spec.oci_runtime import BlockIOResources, CPUResources, MemoryResources, PidsResources, Resources

_UNSIGNED = {
    "cpu-share": "shares",
    "cpu-period": "period",
    "cpu-burst": "burst",
    "cpu-rt-period": "realtime_period",
}
_SIGNED = {"cpu-quota": "quota", "cpu-rt-runtime": "realtime_runtime", "cpu-idle": "idle"}
_CPUSETS = {"cpuset-cpus": "cpus", "cpuset-mems": "mems"}
_MEMORY = {"memory": "limit", "memory-reservation": "reservation", "memory-swap": "swap"}
_IGNORED = ("kernel-memory", "kernel-memory-tcp")
_RDT = {
    "l3-cache-schema": "Intel RDT/CAT: l3 cache schema is not enabled",
    "mem-bw-schema": "Intel RDT/MBA: memory bandwidth schema is not enabled",
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?", re.IGNORECASE)


def update(container: Container, arguments: Arguments) -> None:
    """Change limits: from --resources FILE (- is standard input), or from the other options."""
    if container.status() in ("creating", "stopped"):
        raise FailedPrecondition("container not running")
    path = arguments.option("resources")
    resources = _read(path) if path else _from_options(arguments)
    for name, message in _RDT.items():
        if arguments.option(name):
            raise FailedPrecondition(message)
    if any(arguments.option(name) for name in _IGNORED):
        sys.stderr.write("jubako-oci: warning: kernel memory settings are ignored\n")
    resources.devices = []  # as runc: others (a GPU's toolkit) may have changed the rules since
    group_of(container, "update").update(resources)


def _read(path: str) -> Resources:
    if path == "-":
        data = sys.stdin.buffer.read()
    else:
        with open(path, "rb") as file:
            data = file.read()
    try:
        return decoding.decode(data, Resources)
    except msgspec.MsgspecError as error:
        raise InvalidArgument(f"{path}: {error}") from None


def _from_options(arguments: Arguments) -> Resources:
    given = {name: text for name, text in arguments.options.items() if text}
    cpu: dict[str, int | str] = {field: given[name] for name, field in _CPUSETS.items() if name in given}
    cpu |= {field: _number(name, given[name]) for name, field in _UNSIGNED.items() if name in given}
    cpu |= {field: _number(name, given[name], signed=True) for name, field in _SIGNED.items() if name in given}
    memory = {field: _size(name, given[name]) for name, field in _MEMORY.items() if name in given}
    weight, pids = given.get("blkio-weight", "0"), given.get("pids-limit", "0")
    return Resources(
        cpu=msgspec.structs.replace(CPUResources(), **cpu),
        memory=msgspec.structs.replace(MemoryResources(), **memory),
        pids=PidsResources(limit=_number("pids-limit", pids, signed=True)),
        block_io=BlockIOResources(weight=_number("blkio-weight", weight)),
    )


def _number(name: str, text: str, *, signed: bool = False) -> int:
    digits = text.removeprefix("-") if signed else text
    if not (digits.isascii() and digits.isdecimal()):
        raise InvalidArgument(f"invalid value for {name}: {text}")
    return int(text)


def _size(name: str, text: str) -> int:
    """Bytes of `512m`, `1.5GiB`, `-1`."""
    if text == "-1":
        return -1
    found = _SIZE.fullmatch(text)
    if not found:
        raise InvalidArgument(f"invalid value for {name}: {text}")
    size = float(found[1]) * (1 << 10 * " kmgtp".index(found[2].lower() or " "))
    if size >= 1 << 63:
        raise InvalidArgument(f"invalid value for {name}: {text[:64]} is out of range")
    return int(size)
