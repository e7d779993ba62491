"""Resources of the runtime specification, written to v1's control files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack

from jubako.linux.cgroup.files import read_text, write_text
from jubako.spec.oci_runtime import BlockIOResources, CPUResources, DeviceRule, MemoryResources, Resources


def wants_cpuset(resources: Resources | None) -> bool:
    return bool(resources and resources.cpu and (resources.cpu.cpus or resources.cpu.mems))


def apply(directories: Mapping[str, str], resources: Resources) -> None:
    """Write every limit that is set, except device rules."""
    if resources.memory and "memory" in directories:
        _memory(directories["memory"], resources.memory)
    if resources.cpu:
        _cpu(directories, resources.cpu)
    if resources.pids and "pids" in directories:
        limit = resources.pids.limit
        write_text(f"{directories['pids']}/pids.max", str(limit) if limit > 0 else "max")
    if resources.block_io and "blkio" in directories:
        _block_io(directories["blkio"], resources.block_io)


def write_device_rules(directories: Mapping[str, str], rules: Iterable[DeviceRule]) -> None:
    """Write the rules in order: `a` alone replaces all that was said before."""
    directory = directories.get("devices")
    if not directory:
        return
    with ExitStack() as stack:
        files = [os.open(f"{directory}/devices.{verb}", os.O_WRONLY | os.O_CLOEXEC) for verb in ("deny", "allow")]
        for fd in files:
            stack.callback(os.close, fd)
        for rule in rules:
            os.write(files[rule.allow], device_rule(rule).encode())


def device_rule(rule: DeviceRule) -> str:
    """One line of devices.allow or devices.deny."""
    if rule.type in ("a", "") and rule.major is None and rule.minor is None:
        return "a"
    numbers = ["*" if number is None or number < 0 else str(number) for number in (rule.major, rule.minor)]
    return f"{rule.type} {':'.join(numbers)} {rule.access}"


def _memory(directory: str, memory: MemoryResources) -> None:
    limit, swap = memory.limit, memory.swap
    # memsw may never be below limit, so that growing starts with memsw and shrinking with the limit.
    files = [("memory.limit_in_bytes", limit), ("memory.memsw.limit_in_bytes", swap)]
    if swap is not None and _grows(directory, swap):
        files.reverse()
    for file, value in files:
        if value:
            _write_memory(f"{directory}/{file}", value)
    if memory.reservation:
        write_text(f"{directory}/memory.soft_limit_in_bytes", str(memory.reservation))
    if memory.swappiness is not None:
        write_text(f"{directory}/memory.swappiness", str(memory.swappiness))
    if memory.disable_oom_killer:
        write_text(f"{directory}/memory.oom_control", "1")


def _grows(directory: str, swap: int) -> bool:
    try:
        return swap < 0 or swap > int(read_text(f"{directory}/memory.memsw.limit_in_bytes"))
    except FileNotFoundError:
        return False


def _write_memory(path: str, value: int) -> None:
    try:
        write_text(path, str(value))
    except FileNotFoundError:
        if "memsw" not in path:  # a kernel without swap accounting has no such file
            raise


def _cpu(directories: Mapping[str, str], cpu: CPUResources) -> None:
    if directory := directories.get("cpu"):
        values = [
            ("cpu.shares", cpu.shares),
            ("cpu.cfs_period_us", cpu.period),
            ("cpu.cfs_quota_us", cpu.quota),
            ("cpu.cfs_burst_us", cpu.burst),
            ("cpu.rt_period_us", cpu.realtime_period),
            ("cpu.rt_runtime_us", cpu.realtime_runtime),
            ("cpu.idle", cpu.idle),
        ]
        for file, value in values:
            if value:
                write_text(f"{directory}/{file}", str(value))
    if directory := directories.get("cpuset"):
        for file, text in (("cpuset.cpus", cpu.cpus), ("cpuset.mems", cpu.mems)):
            if text:
                write_text(f"{directory}/{file}", text)


def _block_io(directory: str, block: BlockIOResources) -> None:
    if block.weight:
        write_text(f"{directory}/blkio.bfq.weight", str(block.weight))
    limits = [
        ("read_bps", block.throttle_read_bps_device),
        ("write_bps", block.throttle_write_bps_device),
        ("read_iops", block.throttle_read_iops_device),
        ("write_iops", block.throttle_write_iops_device),
    ]
    for name, devices in limits:
        for device in devices:
            write_text(f"{directory}/blkio.throttle.{name}_device", f"{device.major}:{device.minor} {device.rate}")
