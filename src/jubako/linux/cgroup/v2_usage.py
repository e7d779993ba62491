"""What a v2 group counts; the shape is v1's, as in runc. A controller that is not enabled counts nothing."""

from __future__ import annotations

import os

from jubako.linux.cgroup.reading import NO_MEMORY, number_of, page_sizes, pressure_of, table_of, text_of
from jubako.linux.cgroup.seam import Stats
from jubako.spec import oci_events as events

_UNLIMITED = (1 << 64) - 1
_OPERATIONS = {"rbytes": "Read", "wbytes": "Write", "rios": "Read", "wios": "Write"}


def stats(directory: str) -> Stats:
    """The few numbers that `docker stats` shows."""
    times, counted = _times(directory), table_of(f"{directory}/memory.stat")
    service, _ = _entries(directory)
    return Stats(
        cpu_ns=times.total,
        cpu_user_ns=times.user,
        cpu_system_ns=times.kernel,
        memory_bytes=max(number_of(f"{directory}/memory.current") - counted.get("inactive_file", 0), 0),
        memory_limit=number_of(f"{directory}/memory.max"),
        memory_cache_bytes=counted.get("file", 0),
        pids=number_of(f"{directory}/pids.current"),
        pids_limit=number_of(f"{directory}/pids.max"),
        block_read_bytes=sum(entry.value for entry in service if entry.op == "Read"),
        block_write_bytes=sum(entry.value for entry in service if entry.op == "Write"),
    )


def usage(directory: str) -> events.Stats:
    """All that `events` tells."""
    service, serviced = _entries(directory)
    return events.Stats(
        cpu=events.Cpu(usage=_times(directory), throttling=_throttling(directory), psi=_pressure(directory, "cpu")),
        cpuset=_cpuset(),
        memory=_memory(directory),
        pids=events.Pids(current=number_of(f"{directory}/pids.current"), limit=number_of(f"{directory}/pids.max")),
        blkio=events.Block(
            io_service_bytes_recursive=service, io_serviced_recursive=serviced, psi=_pressure(directory, "io")
        ),
        hugetlb=hugetlb(directory),
        intel_rdt={},
        network_interfaces=None,
    )


def _pressure(directory: str, kind: str) -> events.Pressure | None:
    return pressure_of(f"{directory}/{kind}.pressure")


def _times(directory: str) -> events.CpuTimes:
    counted = table_of(f"{directory}/cpu.stat")
    return events.CpuTimes(
        total=counted.get("usage_usec", 0) * 1000,
        kernel=counted.get("system_usec", 0) * 1000,
        user=counted.get("user_usec", 0) * 1000,
    )


def _throttling(directory: str) -> events.Throttling:
    counted = table_of(f"{directory}/cpu.stat")
    return events.Throttling(
        periods=counted.get("nr_periods", 0),
        throttled_periods=counted.get("nr_throttled", 0),
        throttled_time=counted.get("throttled_usec", 0) * 1000,
    )


def _cpuset() -> events.Cpuset:
    """v1's switches, none of which v2 has."""
    return events.Cpuset(
        cpu_exclusive=0,
        mem_hardwall=0,
        mem_exclusive=0,
        memory_migrate=0,
        memory_spread_page=0,
        memory_spread_slab=0,
        memory_pressure=0,
        sched_load_balance=0,
        sched_relax_domain_level=0,
    )


def _memory(directory: str) -> events.Memory:
    """`swap` is memory and swap together, as on v1."""
    counted = table_of(f"{directory}/memory.stat")
    use, swap = _memory_use(f"{directory}/memory"), _memory_use(f"{directory}/memory.swap")
    swap.usage += use.usage
    if swap.limit != _UNLIMITED:
        swap.limit = min(swap.limit + use.limit, _UNLIMITED)
    return events.Memory(
        cache=counted.get("file", 0),
        usage=use,
        swap=swap,
        kernel=NO_MEMORY,
        kernel_tcp=NO_MEMORY,
        raw=counted,
        psi=_pressure(directory, "memory"),
    )


def _memory_use(path: str) -> events.MemoryUse:
    return events.MemoryUse(
        limit=number_of(f"{path}.max", _UNLIMITED),
        usage=number_of(f"{path}.current"),
        max=number_of(f"{path}.peak"),
        failcnt=0,
    )


def _entries(directory: str) -> tuple[list[events.BlockEntry], list[events.BlockEntry]]:
    """io.stat as v1's two tables, of bytes and of operations."""
    service: list[events.BlockEntry] = []
    serviced: list[events.BlockEntry] = []
    for line in text_of(f"{directory}/io.stat").splitlines():
        device, *words = line.split()
        major, _, minor = device.partition(":")
        for key, _, value in (word.partition("=") for word in words):
            if key in _OPERATIONS:
                table = service if key.endswith("bytes") else serviced
                table.append(
                    events.BlockEntry(major=int(major), minor=int(minor), op=_OPERATIONS[key], value=int(value))
                )
    return service, serviced


def hugetlb(directory: str) -> dict[str, events.HugetlbUse]:
    """By page size; reservations where the kernel counts them, as the limits are."""
    found = {}
    for size in page_sizes(directory, ".max"):
        path = f"{directory}/hugetlb.{size}"
        rsvd = ".rsvd" if os.path.exists(f"{path}.rsvd.current") else ""
        failures = table_of(f"{path}.events").get("max", 0)
        found[size] = events.HugetlbUse(usage=number_of(f"{path}{rsvd}.current"), failcnt=failures)
    return found
