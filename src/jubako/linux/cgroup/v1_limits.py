"""Resources of the runtime specification, written to v1's control files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.linux.cgroup.device_rules import check_holes, checked, line
from jubako.linux.cgroup.limits import set_hugepages, set_limit, set_rdma, throttles
from jubako.spec.oci_runtime import BlockIOResources, DeviceRule, NetworkResources, Resources


def wanted(resources: Resources | None) -> set[str]:
    """The controllers that a group need not be in unless `resources` asks for something of theirs."""
    found: set[str] = set()
    if not resources:
        return found
    if resources.cpu and (resources.cpu.cpus or resources.cpu.mems):
        found.add("cpuset")
    if resources.hugepage_limits:
        found.add("hugetlb")
    if resources.rdma:
        found.add("rdma")
    if resources.network and resources.network.class_id:
        found.add("net_cls")
    if resources.network and resources.network.priorities:
        found.add("net_prio")
    return found


def apply(directories: Mapping[str, str], resources: Resources) -> None:
    """Write every limit that is set, except device rules. A directory that is missing is a controller that is."""
    if resources.unified:
        raise InvalidArgument("invalid configuration: cannot use unified on cgroup v1")
    if resources.memory:
        from jubako.linux.cgroup import v1_memory

        v1_memory.apply(directories.get("memory", ""), resources.memory)
    if resources.cpu:
        from jubako.linux.cgroup import v1_cpu

        v1_cpu.apply(directories.get("cpu", ""), resources.cpu)
        v1_cpu.apply_cpuset(directories.get("cpuset", ""), resources.cpu)
    if resources.pids and resources.pids.limit:
        limit = resources.pids.limit
        set_limit(directories.get("pids", ""), "pids.max", limit if limit > 0 else "max", "pids.limit")
    if resources.block_io:
        _block_io(directories.get("blkio", ""), resources.block_io)
    if resources.hugepage_limits:
        directory = directories.get("hugetlb", "")
        on_v2 = os.path.exists(f"{directory}/cgroup.controllers")  # a hybrid host may have the controller there
        set_hugepages(directory, resources.hugepage_limits, "max" if on_v2 else "limit_in_bytes")
    if resources.network:
        _network(directories, resources.network)
    set_rdma(directories.get("rdma", ""), resources.rdma)


def write_device_rules(directory: str, rules: Iterable[DeviceRule]) -> None:
    """Write the rules in order: `a` alone replaces all that was said before."""
    single = checked(rules)
    check_holes(single)
    if not directory:  # nothing would keep the container from the host's devices
        raise FailedPrecondition("cannot set devices: the devices controller is not available")
    with ExitStack() as stack:
        files = [os.open(f"{directory}/devices.{verb}", os.O_WRONLY | os.O_CLOEXEC) for verb in ("deny", "allow")]
        for fd in files:
            stack.callback(os.close, fd)
        for rule in single:
            os.write(files[rule.allow], line(rule).encode())


def _network(directories: Mapping[str, str], network: NetworkResources) -> None:
    if network.class_id:
        set_limit(directories.get("net_cls", ""), "net_cls.classid", network.class_id, "network.classID")
    for entry in network.priorities:
        text, name = f"{entry.name} {entry.priority}", f"network.priorities[{entry.name}]"
        set_limit(directories.get("net_prio", ""), "net_prio.ifpriomap", text, name)


def _block_io(directory: str, block: BlockIOResources) -> None:
    """CFQ's files where the kernel still has them, else BFQ's; leaf weights are CFQ's alone."""
    weight = "blkio.weight" if os.path.exists(f"{directory}/blkio.weight") else "blkio.bfq.weight"
    if block.weight:
        set_limit(directory, weight, block.weight, "blockIO.weight")
    if block.leaf_weight:
        set_limit(directory, "blkio.leaf_weight", block.leaf_weight, "blockIO.leafWeight")
    for device in block.weight_device:
        numbers = f"{device.major}:{device.minor}"
        name = f"blockIO.weightDevice[{numbers}]"
        if not (device.weight or device.leaf_weight):
            raise InvalidArgument(f"{name} needs weight or leafWeight")
        if device.weight:
            set_limit(directory, f"{weight}_device", f"{numbers} {device.weight}", name)
        if device.leaf_weight:
            set_limit(directory, "blkio.leaf_weight_device", f"{numbers} {device.leaf_weight}", name)
    _throttle(directory, block)


def _throttle(directory: str, block: BlockIOResources) -> None:
    for direction, unit, name, device in throttles(block):
        file = f"blkio.throttle.{direction}_{unit}_device"
        set_limit(directory, file, f"{device.major}:{device.minor} {device.rate}", name)
