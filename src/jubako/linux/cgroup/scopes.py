"""What systemd is to be told of a container: the names of its unit and group, and its limits as unit properties.

The limits that have a property are set as such too, since systemd writes over the control files of what it knows
nothing about whenever it is reloaded.

Spec: runc, docs/systemd.md; systemd.unit(5), systemd.slice(5), systemd.resource-control(5).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from jubako.errors import InvalidArgument
from jubako.linux import numberlist
from jubako.linux.cgroup.device_rules import checked
from jubako.linux.cgroup.v2_limits import weight_of_blkio, weight_of_shares
from jubako.linux.cgroup.v2_memory import swap_alone
from jubako.linux.systemd import Property
from jubako.spec.oci_runtime import CPUResources, DeviceRule, MemoryResources, Resources

_INFINITY = (1 << 64) - 1
_SLICE = re.compile(r"[A-Za-z0-9_.:@\\]+(-[A-Za-z0-9_.:@\\]+)*\.slice")
_SECOND_US = 1_000_000
_CPU_STEP_US = 10_000


def unit_names(path: str, container: str, *, user: bool) -> tuple[str, str]:
    """(slice, scope) that a specification's cgroupsPath `slice:prefix:name` asks for."""
    default = "user.slice" if user else "system.slice"
    if not path:
        return default, f"jubako-{container}.scope"
    parts = path.split(":")
    if len(parts) != 3:
        raise InvalidArgument(
            f'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "{path}" instead'
        )
    return parts[0] or default, "-".join(part for part in parts[1:] if part) + ".scope"


def expand_slice(name: str) -> str:
    """The path of a slice's group: `a-b.slice` lies in `a.slice`; "" for the root slice."""
    if name == "-.slice":
        return ""
    if not _SLICE.fullmatch(name):
        raise InvalidArgument(f"invalid slice name: {name}")
    parts = name.removesuffix(".slice").split("-")
    return "".join(f"/{'-'.join(parts[: end + 1])}.slice" for end in range(len(parts)))


def properties(resources: Resources) -> list[Property]:
    """The limits that are set, as systemd's."""
    found: list[Property] = []
    if resources.memory:
        found += _memory(resources.memory)
    if resources.cpu:
        found += _cpu(resources.cpu)
    if resources.pids and resources.pids.limit:
        found.append(("TasksMax", ("t", _or_infinity(resources.pids.limit))))
    if resources.block_io and resources.block_io.weight:
        found.append(("IOWeight", ("t", weight_of_blkio(resources.block_io.weight))))
    return found + (_devices(resources.devices) if resources.devices else [])


def _or_infinity(limit: int) -> int:
    return limit if limit > 0 else _INFINITY


def _memory(memory: MemoryResources) -> list[Property]:
    found: list[Property] = []
    if memory.limit:
        found.append(("MemoryMax", ("t", _or_infinity(memory.limit))))
    if memory.reservation:
        found.append(("MemoryLow", ("t", _or_infinity(memory.reservation))))
    if memory.swap and (memory.limit or memory.swap < 0):  # without either, the control file's present limit counts
        swap = swap_alone(memory.limit or 0, memory.swap)
        found.append(("MemorySwapMax", ("t", _INFINITY if swap == "max" else int(swap))))
    return found


def _cpu(cpu: CPUResources) -> list[Property]:
    found: list[Property] = []
    if cpu.shares:
        found.append(("CPUWeight", ("t", weight_of_shares(cpu.shares))))
    if cpu.period:
        found.append(("CPUQuotaPeriodUSec", ("t", cpu.period)))
    if cpu.quota:
        found.append(("CPUQuotaPerSecUSec", ("t", _per_second(cpu.quota, cpu.period or 100_000))))
    for name, text in (("AllowedCPUs", cpu.cpus), ("AllowedMemoryNodes", cpu.mems)):
        if text:
            found.append((name, ("ay", _mask(text))))
    return found


def _per_second(quota_us: int, period_us: int) -> int:
    """Of a second; systemd takes whole hundredths, and rounds those of its own down, so they are rounded up."""
    if quota_us < 0:
        return _INFINITY
    return -(-quota_us * _SECOND_US // period_us // _CPU_STEP_US) * _CPU_STEP_US


def _mask(text: str) -> bytes:
    """`0-2,7` as a bit mask, the lowest byte first."""
    try:
        mask = numberlist.mask(text)
    except ValueError:
        raise InvalidArgument(f"not a list of numbers: {text!r}") from None
    return mask.to_bytes((mask.bit_length() + 7) // 8 or 1, "little")


def _devices(rules: Sequence[DeviceRule]) -> list[Property]:
    """An allow list where the rules are one. Else systemd has no say, and our own program alone decides."""
    single = checked(rules)
    denials = [at for at, rule in enumerate(single) if not rule.allow and rule.type == "a"]
    rest = single[denials[-1] + 1 :] if denials else []
    allowed = [_device(rule) for rule in rest]
    if not denials or not all(rule.allow and name for rule, (name, _) in zip(rest, allowed, strict=True)):
        return [("DevicePolicy", ("s", "auto")), ("DeviceAllow", ("a(ss)", []))]
    return [("DevicePolicy", ("s", "strict")), ("DeviceAllow", ("a(ss)", allowed))]


def _device(rule: DeviceRule) -> tuple[str, str]:
    """What systemd calls the devices of a checked rule; "" for what it has no name for."""
    kind = {"c": "char", "b": "block"}.get(rule.type)
    if not kind:
        return "", ""
    if rule.major is None and rule.minor is None:
        return f"{kind}-*", rule.access
    if rule.major is None:
        return "", ""
    if rule.minor is None:
        driver = _driver(kind, rule.major)
        return f"{kind}-{driver}" if driver else "", rule.access
    return f"/dev/{kind}/{rule.major}:{rule.minor}", rule.access


def _driver(kind: str, major: int) -> str:
    """The name in /proc/devices."""
    with open("/proc/devices") as file:
        characters, _, blocks = file.read().partition("Block devices:")
    for line in (characters if kind == "char" else blocks).splitlines():
        number, _, name = line.strip().partition(" ")
        if number == str(major):
            return name
    return ""
