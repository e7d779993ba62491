"""What v1's groups count. `directories` is controller -> directory; a controller that is missing counts nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping

from jubako.linux import numberlist
from jubako.linux.cgroup.reading import number_of, page_sizes, table_of, text_of
from jubako.linux.cgroup.seam import Stats
from jubako.spec import oci_events as events

_UNLIMITED = 1 << 62
_NS = 1_000_000_000
_CPUSET = (
    "cpu_exclusive",
    "mem_hardwall",
    "mem_exclusive",
    "memory_migrate",
    "memory_spread_page",
    "memory_spread_slab",
    "memory_pressure",
    "sched_load_balance",
    "sched_relax_domain_level",
)
_COUNTS = (
    *("io_service_bytes", "io_serviced", "io_queued", "io_service_time"),
    *("io_wait_time", "io_merged", "time", "sectors"),
)


def stats(directories: Mapping[str, str]) -> Stats:
    """The few numbers that `docker stats` shows."""
    memory = _path(directories, "memory")
    counted = table_of(f"{memory}.stat")
    used, limit = number_of(f"{memory}.usage_in_bytes"), number_of(f"{memory}.limit_in_bytes")
    times = _times(directories)
    service = {"Read": 0, "Write": 0}
    for entry in _entries(f"{_path(directories, 'blkio')}.throttle.io_service_bytes"):
        service[entry.op] = service.get(entry.op, 0) + entry.value
    return Stats(
        cpu_ns=times.total,
        cpu_user_ns=times.user,
        cpu_system_ns=times.kernel,
        memory_bytes=max(used - counted.get("total_inactive_file", 0), 0),
        memory_limit=limit if limit < _UNLIMITED else 0,
        memory_cache_bytes=counted.get("total_cache", 0),
        pids=number_of(f"{_path(directories, 'pids')}.current"),
        pids_limit=number_of(f"{_path(directories, 'pids')}.max"),
        block_read_bytes=service["Read"],
        block_write_bytes=service["Write"],
    )


def usage(directories: Mapping[str, str]) -> events.Stats:
    """All that `events` tells."""
    pids = _path(directories, "pids")
    return events.Stats(
        cpu=events.Cpu(usage=_all_times(directories), throttling=_throttling(directories)),
        cpuset=_cpuset(directories.get("cpuset", "")),
        memory=_memory(directories),
        pids=events.Pids(current=number_of(f"{pids}.current"), limit=number_of(f"{pids}.max")),
        blkio=_block(_path(directories, "blkio")),
        hugetlb=_hugetlb(directories.get("hugetlb", "")),
        intel_rdt={},
        network_interfaces=None,
    )


def _path(directories: Mapping[str, str], kind: str) -> str:
    """What the names of a controller's files begin with; a name that nothing has where there is no controller."""
    return f"{directories[kind]}/{kind}" if kind in directories else f"/dev/null/{kind}"


def _times(directories: Mapping[str, str]) -> events.CpuTimes:
    account = _path(directories, "cpuacct")
    split, tick_ns = table_of(f"{account}.stat"), _NS // os.sysconf("SC_CLK_TCK")
    kernel, user = split.get("system", 0) * tick_ns, split.get("user", 0) * tick_ns
    return events.CpuTimes(total=number_of(f"{account}.usage"), kernel=kernel, user=user)


def _all_times(directories: Mapping[str, str]) -> events.CpuTimes:
    times, account = _times(directories), _path(directories, "cpuacct")
    times.percpu = [int(word) for word in text_of(f"{account}.usage_percpu").split()]
    rows = [line.split() for line in text_of(f"{account}.usage_all").splitlines()[1:]]
    times.percpu_user = [int(user) for _, user, _ in rows]
    times.percpu_kernel = [int(kernel) for _, _, kernel in rows]
    return times


def _throttling(directories: Mapping[str, str]) -> events.Throttling:
    counted = table_of(f"{_path(directories, 'cpu')}.stat")
    return events.Throttling(
        periods=counted.get("nr_periods", 0),
        throttled_periods=counted.get("nr_throttled", 0),
        throttled_time=counted.get("throttled_time", 0),
    )


def _cpuset(directory: str) -> events.Cpuset:
    """A group without a cpuset of its own is in that of the nearest group above it that has one."""
    while directory and not os.path.isdir(directory):
        directory = os.path.dirname(directory)
    numbers = {name: number_of(f"{directory}/cpuset.{name}") for name in _CPUSET}
    cpus, mems = (numberlist.numbers(text_of(f"{directory}/cpuset.{name}")) for name in ("cpus", "mems"))
    return events.Cpuset(cpus=cpus, mems=mems, **numbers)


def _memory(directories: Mapping[str, str]) -> events.Memory:
    memory = _path(directories, "memory")
    counted = table_of(f"{memory}.stat")
    return events.Memory(
        cache=counted.get("cache", 0),
        usage=_memory_use(memory),
        swap=_memory_use(f"{memory}.memsw"),
        kernel=_memory_use(f"{memory}.kmem"),
        kernel_tcp=_memory_use(f"{memory}.kmem.tcp"),
        raw=counted,
    )


def _memory_use(path: str) -> events.MemoryUse:
    return events.MemoryUse(
        limit=number_of(f"{path}.limit_in_bytes"),
        usage=number_of(f"{path}.usage_in_bytes"),
        max=number_of(f"{path}.max_usage_in_bytes"),
        failcnt=number_of(f"{path}.failcnt"),
    )


def _block(path: str) -> events.Block:
    """The scheduler's own counts where it has some (BFQ's, CFQ's), else those of throttling, which are of all."""
    for scheduler in (".bfq", "", ".throttle"):
        found = {file: _entries(f"{path}{scheduler}.{file}_recursive") for file in _COUNTS}
        if any(found.values()):
            break
    return events.Block(
        io_service_bytes_recursive=found["io_service_bytes"],
        io_serviced_recursive=found["io_serviced"],
        io_queued_recursive=found["io_queued"],
        io_service_time_recursive=found["io_service_time"],
        io_wait_time_recursive=found["io_wait_time"],
        io_merged_recursive=found["io_merged"],
        io_time_recursive=found["time"],
        sectors_recursive=found["sectors"],
    )


def _entries(path: str) -> list[events.BlockEntry]:
    """`8:0 Read 4096`, or `8:0 4096`; a last line `Total N` has no device."""
    found = []
    for line in text_of(path).splitlines():
        device, *operation, value = line.split()
        major, colon, minor = device.partition(":")
        if colon:
            op = operation[0] if operation else ""
            found.append(events.BlockEntry(major=int(major), minor=int(minor), op=op, value=int(value)))
    return found


def _hugetlb(directory: str) -> dict[str, events.HugetlbUse]:
    found = {}
    for size in page_sizes(directory, ".limit_in_bytes"):
        path = f"{directory}/hugetlb.{size}"
        rsvd = ".rsvd" if os.path.exists(f"{path}.rsvd.usage_in_bytes") else ""
        found[size] = events.HugetlbUse(
            usage=number_of(f"{path}{rsvd}.usage_in_bytes"),
            max=number_of(f"{path}{rsvd}.max_usage_in_bytes"),
            failcnt=number_of(f"{path}{rsvd}.failcnt"),
        )
    return found
