"""Resources of the runtime specification, written to v2's control files.

The conversions of v1's units are those of the specification's reference implementation: cpu.shares 2..262144 to
cpu.weight 1..10000, and memory+swap to swap alone.
"""

from __future__ import annotations

from jubako.linux.cgroup.files import write_text
from jubako.spec.oci_runtime import BlockIOResources, CPUResources, MemoryResources, Resources


def apply(directory: str, resources: Resources) -> None:
    """Write every limit that is set, except device rules."""
    if resources.memory:
        _memory(directory, resources.memory)
    if resources.cpu:
        _cpu(directory, resources.cpu)
    if resources.pids:
        write_text(f"{directory}/pids.max", str(resources.pids.limit) if resources.pids.limit > 0 else "max")
    if resources.block_io:
        _block_io(directory, resources.block_io)
    for limit in resources.hugepage_limits:
        write_text(f"{directory}/hugetlb.{limit.page_size}.max", str(limit.limit))
    for file, value in resources.unified.items():
        if "/" in file or file.startswith("cgroup."):
            raise ValueError(f"not a controller's file: {file!r}")
        for line in value.splitlines():
            write_text(f"{directory}/{file}", line)


def weight_of_shares(shares: int) -> int:
    return 1 + (max(shares, 2) - 2) * 9999 // 262142


def swap_alone(limit: int | None, swap: int) -> str:
    """v1's limit counts memory and swap together, v2's counts swap."""
    if swap < 0:
        return "max"
    if not limit or limit < 0 or swap < limit:
        raise ValueError("a swap limit needs a memory limit that is not above it")
    return str(swap - limit)


def _memory(directory: str, memory: MemoryResources) -> None:
    if memory.swap:
        write_text(f"{directory}/memory.swap.max", swap_alone(memory.limit, memory.swap))
    if memory.limit:
        write_text(f"{directory}/memory.max", str(memory.limit) if memory.limit > 0 else "max")
    if memory.reservation:
        write_text(f"{directory}/memory.low", str(memory.reservation) if memory.reservation > 0 else "max")


def _cpu(directory: str, cpu: CPUResources) -> None:
    if cpu.shares:
        write_text(f"{directory}/cpu.weight", str(weight_of_shares(cpu.shares)))
    if cpu.idle is not None:
        write_text(f"{directory}/cpu.idle", str(cpu.idle))
    if cpu.quota or cpu.period:
        quota = str(cpu.quota) if cpu.quota and cpu.quota > 0 else "max"
        write_text(f"{directory}/cpu.max", f"{quota} {cpu.period or 100000}")
    if cpu.burst:
        write_text(f"{directory}/cpu.max.burst", str(cpu.burst))
    for file, text in (("cpuset.cpus", cpu.cpus), ("cpuset.mems", cpu.mems)):
        if text:
            write_text(f"{directory}/{file}", text)


def _block_io(directory: str, block: BlockIOResources) -> None:
    if block.weight:
        write_text(f"{directory}/io.weight", str(1 + (max(block.weight, 10) - 10) * 9999 // 990))
    limits = [
        ("rbps", block.throttle_read_bps_device),
        ("wbps", block.throttle_write_bps_device),
        ("riops", block.throttle_read_iops_device),
        ("wiops", block.throttle_write_iops_device),
    ]
    for name, devices in limits:
        for device in devices:
            write_text(f"{directory}/io.max", f"{device.major}:{device.minor} {name}={device.rate}")
