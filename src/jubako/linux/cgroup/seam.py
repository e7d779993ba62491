"""One seam for control groups: an implementation for v1 (and hybrid), one for v2, one that has systemd make v2's.

A handle names a group that exists; `join_fds` and `clone_fd` are what the executor needs to put a process into it.

Invariant:    nothing outside <hierarchy>/jubako/, or jubako/ of a group that is an ordinary user's, is made, changed or
              removed, but by systemd, and but for the one group that an absolute cgroupsPath names.
Concurrency:  many processes; a group belongs to whoever made it.
Spec:         OCI runtime-spec, config-linux "Control groups"; kernel admin-guide cgroup-v1 and cgroup-v2.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from jubako.spec.oci_runtime import Resources

if TYPE_CHECKING:  # what only `events` needs
    from jubako.linux.cgroup.oom import OomWatch
    from jubako.spec import oci_events

PARENT = "jubako"
SYSTEMD = "systemd"
"""The place of groups that systemd makes."""


class Stats(msgspec.Struct, frozen=True):
    """A moment's use. `memory_bytes` leaves out inactive file cache, as docker stats does; a limit of 0 is none."""

    cpu_ns: int = 0
    cpu_user_ns: int = 0
    cpu_system_ns: int = 0
    memory_bytes: int = 0
    memory_limit: int = 0
    memory_cache_bytes: int = 0
    pids: int = 0
    pids_limit: int = 0
    block_read_bytes: int = 0
    block_write_bytes: int = 0


class CgroupHandle(Protocol):
    """One group; every method may be called from any process that knows its name."""

    name: str

    @property
    def clone_fd(self) -> int:
        """The cgroup v2 directory for CLONE_INTO_CGROUP, or -1. Open until close()."""

    @property
    def join_fds(self) -> list[int]:
        """Files into which a process writes "0" to move itself. Open until close()."""

    @property
    def oom_fd(self) -> int:
        """The file that has the line `oom_kill N`, or -1. Open until close()."""

    def reach(self, pid: int) -> None:
        """See to it that the process `pid` may put others in, which an ordinary user's may not from everywhere.

        Raises FailedPrecondition where that can not be.
        """

    def below(self, paths: Mapping[str, str]) -> CgroupHandle:
        """The group at `paths` beneath this one: by controller on v1, "" for all that are not named.

        Raises NotFound for a group that is not there, InvalidArgument for a controller that is none.
        """

    def joined(self) -> None:
        """The first process is in; called by whoever created the group, and put it in."""

    def mounts(self) -> list[tuple[str, str]]:
        """(directory on the host, path beneath /sys/fs/cgroup) of what a container sees of its own groups."""

    def update(self, resources: Resources) -> None:
        """Apply what `resources` sets; what it leaves out stays."""

    def stats(self) -> Stats: ...

    def usage(self) -> oci_events.Stats:
        """All that the OCI runtime's `events` tells."""

    def watch_oom(self) -> OomWatch | None:
        """A watch that the caller closes; None where memory is not accounted."""

    def pids(self) -> list[int]:
        """Processes in the group and beneath it."""

    def add(self, pid: int) -> None:
        """Move a process in; slow on v1 (milliseconds)."""

    def freeze(self) -> None:
        """Stop every process; FailedPrecondition where nothing can, or where some would not."""

    def thaw(self) -> None:
        """Let them go on; a group that is gone has none."""

    def is_frozen(self) -> bool:
        """Whether `freeze` was the last word."""

    def signal_all(self, number: int) -> None:
        """A signal to every process in it, once to each, safe against those that fork meanwhile."""

    def kill_all(self) -> None:
        """SIGKILL to every process in it, safe against a fork bomb."""

    def remove(self, *, above: bool = True) -> None:
        """Remove the group and the groups beneath it, after killing what is left in them. Idempotent.

        With `above` also those above it, up to our own subtree, that are empty then.
        """

    def close(self) -> None: ...


class Opened:
    """Files of a group, each opened once, until close()."""

    def __init__(self) -> None:
        self._fds: dict[str, int] = {}

    def open(self, path: str, flags: int) -> int:
        if path not in self._fds:
            self._fds[path] = os.open(path, flags | os.O_CLOEXEC)
        return self._fds[path]

    def close(self) -> None:
        while self._fds:
            os.close(self._fds.popitem()[1])


class CgroupManager(Protocol):
    """`version` is v1, hybrid, v2 or none; `driver`, who makes the groups: cgroupfs, systemd or none."""

    version: str
    driver: str

    def name_for(self, container: str) -> str:
        """The name of the group of a container that asks for no certain one."""

    def create(self, name: str, resources: Resources | None = None) -> CgroupHandle:
        """Make jubako/<name> with its limits. An empty group of that name that was left behind is replaced.

        Raises FailedPrecondition for one with processes, and when the host can not do what `resources` asks for,
        InvalidArgument when that makes no sense; nothing is left then.
        """

    def open(self, name: str) -> CgroupHandle: ...

    def names(self) -> list[str]:
        """The groups directly beneath jubako/."""

    def accounts_swap(self) -> bool:
        """Whether a limit of swap can be set at all."""


class Hierarchies(msgspec.Struct, frozen=True):
    """Where what is mounted: v1 controller -> directory, and the unified hierarchy's directory or ""."""

    v1: dict[str, str]
    unified: str


def hierarchies() -> Hierarchies:
    """Those of this machine."""
    with open("/proc/self/mountinfo") as file:
        return find_hierarchies(file.read())


def find_hierarchies(mountinfo: str) -> Hierarchies:
    """Read a mountinfo text. A v1 hierarchy counts once for each controller in its super options."""
    v1: dict[str, str] = {}
    unified = ""
    for line in mountinfo.splitlines():
        head, _, tail = line.partition(" - ")
        fields, options = head.split(" "), tail.split(" ")
        if options[0] == "cgroup2" and not unified:
            unified = fields[4]
        elif options[0] == "cgroup":
            for name in options[2].split(","):
                if name in CONTROLLERS:
                    v1.setdefault(name, fields[4])
    return Hierarchies(v1, unified)


CONTROLLERS = (
    *("memory", "pids", "devices", "cpu", "cpuacct", "blkio"),
    *("cpuset", "freezer", "hugetlb", "rdma", "net_cls", "net_prio"),
)


def is_ours(name: str) -> bool:
    """Whether the group lies in our own subtree. An absolute cgroupsPath names one from the root of the hierarchy on,
    as the runtime specification wants it: what lies above that is somebody else's."""
    return not name.startswith("/")


def path_of(name: str) -> str:
    """The group's path beneath the root of a hierarchy."""
    return f"{PARENT}/{check_name(name)}" if is_ours(name) else check_name(name)


def check_name(name: str) -> str:
    """`name` as path components; ValueError when it would leave the directory that it is in."""
    clean = name.strip("/")
    if not clean or any(part in ("", ".", "..") for part in clean.split("/")) or "\0" in clean:
        raise ValueError(f"not a cgroup name: {name!r}")
    return clean
