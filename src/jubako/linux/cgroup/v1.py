"""cgroup v1, one directory per hierarchy; with a unified hierarchy beside it (hybrid) that one kills and freezes.

A process joins by writing "0" to `tasks`: moving another by its pid waits for an RCU grace period, 5 to 33 ms
(kernel/cgroup/cgroup.c, cgroup_procs_write_start). cpuset is joined only when a container asks for cpus or mems.
"""

from __future__ import annotations

import os
import signal

from jubako.linux.cgroup.files import read_table, read_text, remove_tree, wait_for, write_text
from jubako.linux.cgroup.seam import PARENT, Hierarchies, Stats, check_name
from jubako.linux.cgroup.v1_limits import apply, wants_cpuset, write_device_rules
from jubako.spec.oci_runtime import Resources

_ALWAYS = ("memory", "pids", "devices", "cpu", "cpuacct", "blkio")
_UNLIMITED = 1 << 62


class V1Manager:
    version = "v1"

    def __init__(self, hierarchies: Hierarchies) -> None:
        self._v1 = hierarchies.v1
        self._unified = hierarchies.unified
        if self._unified:
            self.version = "hybrid"

    def create(self, name: str, resources: Resources | None = None) -> V1Handle:
        handle = self.open(name, cpuset=wants_cpuset(resources))
        made: list[str] = []
        try:
            for directory in handle.directories.values():
                if _make(directory):
                    made.append(directory)
            if resources:
                write_device_rules(handle.directories, resources.devices)
                apply(handle.directories, resources)
        except BaseException:
            for directory in made:
                os.rmdir(directory)
            raise
        return handle

    def open(self, name: str, *, cpuset: bool | None = None) -> V1Handle:
        group = f"{PARENT}/{check_name(name)}"
        roots = {kind: self._v1[kind] for kind in _ALWAYS if kind in self._v1}
        if "cpuset" in self._v1 and (cpuset or (cpuset is None and os.path.isdir(f"{self._v1['cpuset']}/{group}"))):
            roots["cpuset"] = self._v1["cpuset"]
        if not self._unified and "freezer" in self._v1:
            roots["freezer"] = self._v1["freezer"]
        if self._unified:
            roots["unified"] = self._unified
        return V1Handle(name, {kind: f"{root}/{group}" for kind, root in roots.items()}, self._v1)

    def names(self) -> list[str]:
        found: set[str] = set()
        for root in {*self._v1.values(), self._unified} - {""}:
            try:
                with os.scandir(f"{root}/{PARENT}") as entries:
                    found |= {entry.name for entry in entries if entry.is_dir()}
            except FileNotFoundError:
                continue
        return sorted(found)


class V1Handle:
    """`directories`: controller (or "unified") -> directory of this group."""

    def __init__(self, name: str, directories: dict[str, str], roots: dict[str, str]) -> None:
        self.name = name
        self.directories = directories
        self._roots = roots
        self._fds: dict[str, int] = {}

    @property
    def clone_fd(self) -> int:
        unified = self.directories.get("unified")
        return self._open(unified, os.O_RDONLY | os.O_DIRECTORY) if unified else -1

    @property
    def join_fds(self) -> list[int]:
        directories = {path: None for kind, path in self.directories.items() if kind != "unified"}
        return [self._open(f"{path}/tasks", os.O_WRONLY) for path in directories]

    @property
    def oom_fd(self) -> int:
        memory = self.directories.get("memory")
        return self._open(f"{memory}/memory.oom_control", os.O_RDONLY) if memory else -1

    def _open(self, path: str, flags: int) -> int:
        if path not in self._fds:
            self._fds[path] = os.open(path, flags | os.O_CLOEXEC)
        return self._fds[path]

    def mounts(self) -> list[tuple[str, str]]:
        mounted = [(kind, path) for kind, path in self.directories.items() if kind in self._roots]
        return [(path, os.path.basename(self._roots[kind])) for kind, path in mounted]

    def update(self, resources: Resources) -> None:
        if wants_cpuset(resources) and "cpuset" not in self.directories and "cpuset" in self._roots:
            directory = f"{self._roots['cpuset']}/{PARENT}/{check_name(self.name)}"
            _make(directory)
            self.directories["cpuset"] = directory
            for pid in self.pids():
                write_text(f"{directory}/cgroup.procs", str(pid))
        if resources.devices:
            write_device_rules(self.directories, resources.devices)
        apply(self.directories, resources)

    def stats(self) -> Stats:
        paths = self.directories
        split = read_table(f"{paths['cpuacct']}/cpuacct.stat") if "cpuacct" in paths else {}
        memory = read_table(f"{paths['memory']}/memory.stat") if "memory" in paths else {}
        used, limit = self._number("memory", "memory.usage_in_bytes"), self._number("memory", "memory.limit_in_bytes")
        tick_ns = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
        read, written = self._block_bytes()
        inactive = memory.get("total_inactive_file", 0)
        return Stats(
            cpu_ns=self._number("cpuacct", "cpuacct.usage"),
            cpu_user_ns=split.get("user", 0) * tick_ns,
            cpu_system_ns=split.get("system", 0) * tick_ns,
            memory_bytes=max(used - inactive, 0),
            memory_limit=limit if limit < _UNLIMITED else 0,
            memory_cache_bytes=memory.get("total_cache", 0),
            pids=self._number("pids", "pids.current"),
            pids_limit=self._number("pids", "pids.max"),
            block_read_bytes=read,
            block_write_bytes=written,
        )

    def _number(self, kind: str, file: str) -> int:
        if kind not in self.directories:
            return 0
        text = read_text(f"{self.directories[kind]}/{file}").strip()
        return int(text) if text.isdecimal() else 0

    def _block_bytes(self) -> tuple[int, int]:
        if "blkio" not in self.directories:
            return 0, 0
        sums = {"Read": 0, "Write": 0}
        for line in read_text(f"{self.directories['blkio']}/blkio.throttle.io_service_bytes").splitlines():
            fields = line.split()
            if len(fields) == 3 and fields[1] in sums:
                sums[fields[1]] += int(fields[2])
        return sums["Read"], sums["Write"]

    def oom_killed(self) -> bool:
        if "memory" not in self.directories:
            return False
        return read_table(f"{self.directories['memory']}/memory.oom_control").get("oom_kill", 0) > 0

    def _control(self) -> str:
        """A directory where every process of the group can be seen."""
        for kind in ("unified", "freezer", "memory", "pids"):
            if kind in self.directories:
                return self.directories[kind]
        return next(iter(self.directories.values()))

    def pids(self) -> list[int]:
        found: list[int] = []
        for directory, _, files in os.walk(self._control()):
            if "cgroup.procs" in files:
                found += map(int, read_text(f"{directory}/cgroup.procs").split())
        return found

    def add(self, pid: int) -> None:
        for directory in dict.fromkeys(self.directories.values()):
            write_text(f"{directory}/cgroup.procs", str(pid))

    def freeze(self) -> None:
        self._freeze(frozen=True)

    def thaw(self) -> None:
        self._freeze(frozen=False)

    def is_frozen(self) -> bool:
        try:
            if "unified" in self.directories:
                return read_table(f"{self.directories['unified']}/cgroup.events").get("frozen") == 1
            if "freezer" in self.directories:
                return read_text(f"{self.directories['freezer']}/freezer.state").strip() != "THAWED"
        except FileNotFoundError:
            pass
        return False

    def _freeze(self, *, frozen: bool) -> None:
        if "unified" in self.directories:
            directory = self.directories["unified"]
            write_text(f"{directory}/cgroup.freeze", "1" if frozen else "0")
            wait_for(lambda: read_table(f"{directory}/cgroup.events")["frozen"] == frozen)
        elif "freezer" in self.directories:
            path, wanted = f"{self.directories['freezer']}/freezer.state", "FROZEN" if frozen else "THAWED"
            write_text(path, wanted)
            wait_for(lambda: read_text(path).strip() == wanted)

    def kill_all(self) -> None:
        unified = self.directories.get("unified")
        if unified and os.path.exists(f"{unified}/cgroup.kill"):
            write_text(f"{unified}/cgroup.kill", "1")
            return
        # A frozen group can not fork while its processes are signalled; they die when it thaws.
        self.freeze()
        try:
            for pid in self.pids():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        finally:
            self.thaw()

    def remove(self) -> None:
        self.close()
        for directory in dict.fromkeys(self.directories.values()):
            remove_tree(directory, self.kill_all)

    def close(self) -> None:
        while self._fds:
            os.close(self._fds.popitem()[1])


def _make(directory: str) -> bool:
    """Make a group, and jubako/ above it where that is missing; False when it is there already."""
    try:
        os.mkdir(directory)
    except FileExistsError:
        return False
    except FileNotFoundError:
        parent = os.path.dirname(directory)
        _make(parent)
        _fill_cpuset(parent)
        os.mkdir(directory)
    _fill_cpuset(directory)
    return True


def _fill_cpuset(directory: str) -> None:
    """A new cpuset group has no cpus and no mems, and takes no process until it has: it gets its parent's."""
    for file in ("cpuset.cpus", "cpuset.mems"):
        path = f"{directory}/{file}"
        if "/cpuset/" in path and not read_text(path).strip():
            write_text(path, read_text(f"{os.path.dirname(directory)}/{file}").strip())
