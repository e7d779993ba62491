"""docker stats and docker top."""

from __future__ import annotations

import os
from typing import Any

import msgspec

from jubako.engine import lifecycle
from jubako.engine.drivers import Drivers
from jubako.engine.group import group_of
from jubako.engine.record import RUNNING, ContainerRecord
from jubako.errors import FailedPrecondition
from jubako.linux import proc, userns


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One reading. `cpu_ns` and `system_ns` grow; their differences between two samples give a share of the CPUs."""

    id: str
    name: str
    cpu_ns: int
    system_ns: int
    cpus: int
    memory_bytes: int
    memory_limit_bytes: int
    pids: int
    received_bytes: int
    sent_bytes: int
    read_bytes: int
    written_bytes: int

    def cpu_percent(self, before: Sample) -> float:
        """Per cent of one CPU since `before`."""
        elapsed = self.system_ns - before.system_ns
        return (self.cpu_ns - before.cpu_ns) / elapsed * self.cpus * 100 if elapsed > 0 else 0.0


def sample(drivers: Drivers, text: str) -> Sample:
    """Read the container's counters; zeros for one that does not run."""
    record = lifecycle.get(drivers, text)
    if record.phase != RUNNING:
        return Sample(
            id=record.id,
            name=record.name,
            cpu_ns=0,
            system_ns=0,
            cpus=0,
            memory_bytes=0,
            memory_limit_bytes=0,
            pids=0,
            received_bytes=0,
            sent_bytes=0,
            read_bytes=0,
            written_bytes=0,
        )
    now = group_of(record).stats()
    received, sent = _network(record)
    return Sample(
        id=record.id,
        name=record.name,
        cpu_ns=now.cpu_ns,
        system_ns=_system_ns(),
        cpus=os.cpu_count() or 1,
        memory_bytes=now.memory_bytes,
        memory_limit_bytes=min(now.memory_limit or _memory_total(), _memory_total()),
        pids=now.pids,
        received_bytes=received,
        sent_bytes=sent,
        read_bytes=now.block_read_bytes,
        written_bytes=now.block_write_bytes,
    )


def _network(record: ContainerRecord) -> tuple[int, int]:
    """Bytes received and sent over every interface but lo, from the container's own /proc/net/dev (proc(5))."""
    if record.options.network == "host":
        return 0, 0
    try:
        with open(f"/proc/{record.pid}/net/dev") as file:
            rows = [line.split(":") for line in file if ":" in line]
    except OSError:
        return 0, 0
    fields = [row[1].split() for row in rows if row[0].strip() != "lo"]
    return sum(int(row[0]) for row in fields), sum(int(row[8]) for row in fields)


def _system_ns() -> int:
    """CPU time of all CPUs together since boot, idle included (proc(5), /proc/stat)."""
    with open("/proc/stat") as file:
        ticks = sum(int(field) for field in file.readline().split()[1:9])
    return ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def _memory_total() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _processes(record: ContainerRecord) -> list[int]:
    """Those of its group; without one, and in a pid namespace of its own, those of that."""
    if record.options.pid or record.cgroup_place or userns.is_initial():
        return group_of(record).pids()
    return proc.with_pid_namespace_of(record.pid)


def top(drivers: Drivers, text: str, ps_args: str = "-ef") -> dict[str, Any]:
    """The container's processes as the host's ps shows them: {"Titles": […], "Processes": [[…]]}."""
    from jubako.runtime import ps

    record = lifecycle.get(drivers, text)
    if record.phase != RUNNING:
        raise FailedPrecondition(f"container {record.id} is not running")
    head, lines = ps.lines_of(_processes(record), ps_args.split())
    titles = head.split()
    return {"Titles": titles, "Processes": [line.split(None, len(titles) - 1) for line in lines]}
