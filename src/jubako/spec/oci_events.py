"""What an OCI runtime's `events` prints, one document a line: the shape that runc gave it and that containerd decodes.

Absent is 0 or empty, as in runc, except where a field has no default here: that is always there. Times are
nanoseconds, sizes are bytes.
"""

from __future__ import annotations

import msgspec


class Struct(msgspec.Struct, omit_defaults=True, rename="camel", kw_only=True):
    """Base: camelCase on the wire, absent when default."""


class PressureLine(Struct, kw_only=True, omit_defaults=False):
    """Shares of time in percent; `total` is microseconds."""

    avg10: float = 0.0
    avg60: float = 0.0
    avg300: float = 0.0
    total: int = 0


class Pressure(Struct, kw_only=True):
    some: PressureLine
    full: PressureLine


class Throttling(Struct, kw_only=True):
    periods: int = 0
    throttled_periods: int = 0
    throttled_time: int = 0


class CpuTimes(Struct, kw_only=True, rename=None):
    total: int = 0
    percpu: list[int] = []
    percpu_kernel: list[int] = []
    percpu_user: list[int] = []
    kernel: int
    user: int


class Cpu(Struct, kw_only=True):
    usage: CpuTimes
    throttling: Throttling
    psi: Pressure | None = None


class Cpuset(Struct, kw_only=True, rename=None):
    cpus: list[int] = []
    cpu_exclusive: int
    mems: list[int] = []
    mem_hardwall: int
    mem_exclusive: int
    memory_migrate: int
    memory_spread_page: int
    memory_spread_slab: int
    memory_pressure: int
    sched_load_balance: int
    sched_relax_domain_level: int


class MemoryUse(Struct, kw_only=True):
    limit: int
    usage: int = 0
    max: int = 0
    failcnt: int


class Memory(Struct, kw_only=True):
    """`swap` is memory and swap together; `raw` is memory.stat."""

    cache: int = 0
    usage: MemoryUse
    swap: MemoryUse
    kernel: MemoryUse
    kernel_tcp: MemoryUse = msgspec.field(name="kernelTCP")
    raw: dict[str, int] = {}
    psi: Pressure | None = None


class Pids(Struct, kw_only=True):
    current: int = 0
    limit: int = 0


class BlockEntry(Struct, kw_only=True):
    major: int = 0
    minor: int = 0
    op: str = ""
    value: int = 0


class Block(Struct, kw_only=True):
    io_service_bytes_recursive: list[BlockEntry] = []
    io_serviced_recursive: list[BlockEntry] = []
    io_queued_recursive: list[BlockEntry] = msgspec.field(default_factory=list, name="ioQueueRecursive")
    io_service_time_recursive: list[BlockEntry] = []
    io_wait_time_recursive: list[BlockEntry] = []
    io_merged_recursive: list[BlockEntry] = []
    io_time_recursive: list[BlockEntry] = []
    sectors_recursive: list[BlockEntry] = []
    psi: Pressure | None = None


class HugetlbUse(Struct, kw_only=True):
    usage: int = 0
    max: int = 0
    failcnt: int


class Stats(Struct, kw_only=True, rename=None):
    """`intel_rdt` and `network_interfaces` stand for what a runtime that makes neither has to say of them."""

    cpu: Cpu
    cpuset: Cpuset
    memory: Memory
    pids: Pids
    blkio: Block
    hugetlb: dict[str, HugetlbUse]
    intel_rdt: dict[str, str]
    network_interfaces: None


class Event(Struct, kw_only=True):
    """`type` is stats or oom."""

    type: str
    id: str
    data: Stats | None = None
