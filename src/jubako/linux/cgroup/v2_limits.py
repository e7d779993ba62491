"""Resources of the runtime specification, written to v2's control files.

The conversions of v1's units are those of runc: cpu.shares 2..262144 to cpu.weight 1..10000, blkio's weights 10..1000
to io.weight's 1..10000, and memory+swap to swap alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from jubako.errors import InvalidArgument
from jubako.linux.cgroup.files import read_text
from jubako.linux.cgroup.limits import Limit, set_hugepages, set_limit, set_rdma, settle, throttles
from jubako.spec.oci_runtime import BlockIOResources, CPUResources, NetworkResources, Resources


def controllers(resources: Resources | None) -> set[str]:
    """The controllers that only some containers need, of those that `resources` names."""
    if not resources:
        return set()
    return {file.partition(".")[0] for file in resources.unified} | ({"rdma"} if resources.rdma else set())


def apply(directory: str, resources: Resources) -> None:
    """Write every limit that is set, except device rules."""
    if resources.memory:
        from jubako.linux.cgroup import v2_memory

        v2_memory.apply(directory, resources.memory)
    if resources.cpu:
        _cpu(directory, resources.cpu)
    if resources.pids and resources.pids.limit:
        limit = resources.pids.limit
        set_limit(directory, "pids.max", limit if limit > 0 else "max", "pids.limit")
    if resources.block_io:
        _block_io(directory, resources.block_io)
    set_hugepages(directory, resources.hugepage_limits, "max")
    set_rdma(directory, resources.rdma)
    if resources.network:
        _network(resources.network)
    _unified(directory, resources.unified)


def weight_of_shares(shares: int) -> int:
    return 1 + (min(max(shares, 2), 262144) - 2) * 9999 // 262142


def weight_of_blkio(weight: int) -> int:
    return 1 + (min(max(weight, 10), 1000) - 10) * 9999 // 990


def _cpu(directory: str, cpu: CPUResources) -> None:
    if cpu.realtime_runtime or cpu.realtime_period:
        raise InvalidArgument("cannot set cpu.realtimeRuntime: cgroup v2 has no real time")
    if cpu.idle == 0 and os.path.exists(f"{directory}/cpu.idle"):  # a group that is idle takes no weight
        set_limit(directory, "cpu.idle", 0, "cpu.idle")
    if cpu.shares:
        set_limit(directory, "cpu.weight", weight_of_shares(cpu.shares), "cpu.shares")
    settle(_bandwidth(directory, cpu))
    if cpu.idle:
        set_limit(directory, "cpu.idle", cpu.idle, "cpu.idle")
    for file, name, text in (("cpuset.cpus", "cpu.cpus", cpu.cpus), ("cpuset.mems", "cpu.mems", cpu.mems)):
        if text:
            set_limit(directory, file, text, name)


def _bandwidth(directory: str, cpu: CPUResources) -> list[Limit]:
    """cpu.max holds quota and period; the one that is not set stays."""
    limits = []
    if cpu.quota or cpu.period:
        quota, period = _present(directory)
        if cpu.quota:
            quota = str(cpu.quota) if cpu.quota > 0 else "max"
        text, name = f"{quota} {cpu.period or period}", "cpu.quota" if cpu.quota else "cpu.period"
        limits.append(Limit(directory, "cpu.max", text, name))
    if cpu.burst or (cpu.burst is not None and os.path.exists(f"{directory}/cpu.max.burst")):
        limits.append(Limit(directory, "cpu.max.burst", str(cpu.burst), "cpu.burst"))
    return limits


def _present(directory: str) -> tuple[str, str]:
    try:
        quota, _, period = read_text(f"{directory}/cpu.max").strip().partition(" ")
    except FileNotFoundError:
        return "max", ""
    return quota or "max", period or "100000"


def _block_io(directory: str, block: BlockIOResources) -> None:
    """BFQ's file takes blkio's own numbers, where the scheduler is there; else iocost's, converted."""
    bfq = os.path.exists(f"{directory}/io.bfq.weight")
    file = "io.bfq.weight" if bfq else "io.weight"
    if block.leaf_weight or any(device.leaf_weight for device in block.weight_device):
        raise InvalidArgument("cannot set blockIO.leafWeight: cgroup v2 has no leaf weights")
    if block.weight:
        set_limit(directory, file, block.weight if bfq else weight_of_blkio(block.weight), "blockIO.weight")
    for device in block.weight_device:
        numbers = f"{device.major}:{device.minor}"
        name = f"blockIO.weightDevice[{numbers}]"
        if not device.weight:
            raise InvalidArgument(f"{name} needs weight")
        set_limit(directory, file, f"{numbers} {device.weight if bfq else weight_of_blkio(device.weight)}", name)
    for direction, unit, name, throttled in throttles(block):
        rate = throttled.rate or "max"  # v1 takes the limit away when it reads 0
        text = f"{throttled.major}:{throttled.minor} {direction[0]}{unit}={rate}"
        set_limit(directory, "io.max", text, name)


def _network(network: NetworkResources) -> None:
    """v2 marks packets by the group that a socket belongs to (netfilter's and eBPF's matches), and has no file."""
    for name, is_asked in (("classID", network.class_id), ("priorities", network.priorities)):
        if is_asked:
            raise InvalidArgument(f"cannot set network.{name}: cgroup v2 has no such controller")


def _unified(directory: str, files: Mapping[str, str]) -> None:
    for file, value in files.items():
        if "/" in file or "." not in file.strip("."):
            raise InvalidArgument(f'unified resource "{file}" must be a file name of the form CONTROLLER.PARAMETER')
        for line in value.splitlines() or [""]:
            set_limit(directory, file, line, f"unified[{file}]")
