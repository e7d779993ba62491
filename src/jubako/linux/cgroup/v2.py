"""cgroup v2: one directory per group. A process joins at clone (CLONE_INTO_CGROUP).

A controller is there for a group when its parent lists it in cgroup.subtree_control; what can not be enabled (a
delegated subtree may lack some) is left out, and a limit that needs it is an error of its file.
"""

from __future__ import annotations

import contextlib
import os

from jubako.linux.cgroup.files import read_table, read_text, remove_tree, wait_for, write_text
from jubako.linux.cgroup.seam import PARENT, Stats, check_name
from jubako.linux.cgroup.v2_limits import apply
from jubako.spec.oci_runtime import Resources

_WANTED = ("cpu", "memory", "pids", "io", "cpuset", "hugetlb")


class V2Manager:
    version = "v2"

    def __init__(self, root: str) -> None:
        self._root = root

    def create(self, name: str, resources: Resources | None = None) -> V2Handle:
        handle = self.open(name)
        path = self._root
        enable(path)
        for part in f"{PARENT}/{check_name(name)}".split("/"):
            path = f"{path}/{part}"
            with contextlib.suppress(FileExistsError):
                os.mkdir(path)
            if path != handle.directory:
                enable(path)
        if resources:
            try:
                handle.update(resources)
            except BaseException:
                os.rmdir(handle.directory)
                raise
        return handle

    def open(self, name: str) -> V2Handle:
        return V2Handle(name, f"{self._root}/{PARENT}/{check_name(name)}")

    def names(self) -> list[str]:
        try:
            with os.scandir(f"{self._root}/{PARENT}") as entries:
                return sorted(entry.name for entry in entries if entry.is_dir())
        except FileNotFoundError:
            return []


class V2Handle:
    def __init__(self, name: str, directory: str) -> None:
        self.name = name
        self.directory = directory
        self._fds: dict[str, int] = {}

    @property
    def clone_fd(self) -> int:
        return self._open(self.directory, os.O_RDONLY | os.O_DIRECTORY)

    @property
    def join_fds(self) -> list[int]:
        return []

    @property
    def oom_fd(self) -> int:
        path = f"{self.directory}/memory.events"
        return self._open(path, os.O_RDONLY) if os.path.exists(path) else -1

    def _open(self, path: str, flags: int) -> int:
        if path not in self._fds:
            self._fds[path] = os.open(path, flags | os.O_CLOEXEC)
        return self._fds[path]

    def mounts(self) -> list[tuple[str, str]]:
        return [(self.directory, "")]

    def update(self, resources: Resources) -> None:
        apply(self.directory, resources)
        if resources.devices:
            from jubako.linux import device_filter

            device_filter.replace(self.clone_fd, resources.devices)

    def stats(self) -> Stats:
        cpu, memory = self._table("cpu.stat"), self._table("memory.stat")
        read, written = self._block_bytes()
        return Stats(
            cpu_ns=cpu.get("usage_usec", 0) * 1000,
            cpu_user_ns=cpu.get("user_usec", 0) * 1000,
            cpu_system_ns=cpu.get("system_usec", 0) * 1000,
            memory_bytes=max(self._number("memory.current") - memory.get("inactive_file", 0), 0),
            memory_limit=self._number("memory.max"),
            memory_cache_bytes=memory.get("file", 0),
            pids=self._number("pids.current"),
            pids_limit=self._number("pids.max"),
            block_read_bytes=read,
            block_write_bytes=written,
        )

    def _table(self, file: str) -> dict[str, int]:
        try:
            return read_table(f"{self.directory}/{file}")
        except FileNotFoundError:
            return {}

    def _number(self, file: str) -> int:
        """A single number; 0 for "max" and where the controller is not enabled."""
        try:
            text = read_text(f"{self.directory}/{file}").strip()
        except FileNotFoundError:
            return 0
        return int(text) if text.isdecimal() else 0

    def _block_bytes(self) -> tuple[int, int]:
        read = written = 0
        try:
            lines = read_text(f"{self.directory}/io.stat").splitlines()
        except FileNotFoundError:
            return 0, 0
        for line in lines:
            fields = dict(field.split("=", 1) for field in line.split()[1:] if "=" in field)
            read += int(fields.get("rbytes", 0))
            written += int(fields.get("wbytes", 0))
        return read, written

    def oom_killed(self) -> bool:
        return self._table("memory.events").get("oom_kill", 0) > 0

    def pids(self) -> list[int]:
        found: list[int] = []
        for directory, _, files in os.walk(self.directory):
            if "cgroup.procs" in files:
                found += map(int, read_text(f"{directory}/cgroup.procs").split())
        return found

    def add(self, pid: int) -> None:
        write_text(f"{self.directory}/cgroup.procs", str(pid))

    def freeze(self) -> None:
        self._freeze(frozen=True)

    def thaw(self) -> None:
        self._freeze(frozen=False)

    def is_frozen(self) -> bool:
        return self._table("cgroup.events").get("frozen") == 1

    def _freeze(self, *, frozen: bool) -> None:
        write_text(f"{self.directory}/cgroup.freeze", "1" if frozen else "0")
        wait_for(lambda: self._table("cgroup.events").get("frozen") == frozen)

    def kill_all(self) -> None:
        write_text(f"{self.directory}/cgroup.kill", "1")

    def remove(self) -> None:
        self.close()
        remove_tree(self.directory, self.kill_all)

    def close(self) -> None:
        while self._fds:
            os.close(self._fds.popitem()[1])


def enable(directory: str) -> None:
    """Let the groups beneath `directory` have its controllers, as far as that is allowed."""
    available = set(read_text(f"{directory}/cgroup.controllers").split())
    present = set(read_text(f"{directory}/cgroup.subtree_control").split())
    for name in _WANTED:
        if name in available - present:
            try:
                write_text(f"{directory}/cgroup.subtree_control", f"+{name}")
            except OSError:
                continue  # processes in `directory` itself, or a controller that is not delegated
