"""cgroup v2: one directory per group. A process joins at clone (CLONE_INTO_CGROUP).

A controller is there for a group when its parent lists it in cgroup.subtree_control; what can not be enabled (a
delegated subtree may lack some) is left out, and a limit that needs it is an error of its property.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Mapping
from typing import TYPE_CHECKING

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.linux import userns
from jubako.linux.cgroup.files import (
    enable,
    gone_is_missing,
    inner,
    is_frozen,
    pids_of,
    remove_above,
    remove_tree,
    set_frozen,
    take_over,
    write_text,
)
from jubako.linux.cgroup.seam import PARENT, Opened, Stats, path_of
from jubako.linux.cgroup.signals import signal_frozen
from jubako.linux.cgroup.v2_limits import apply, controllers
from jubako.spec.oci_runtime import Resources

if TYPE_CHECKING:  # what only `events` needs
    from jubako.linux.cgroup.oom import OomWatch
    from jubako.spec import oci_events

_WANTED = frozenset({"cpu", "memory", "pids", "io", "cpuset", "hugetlb"})


class V2Manager:
    """Beneath `root`: the hierarchy's own directory, or that of a group that was delegated."""

    version = "v2"
    driver = "cgroupfs"

    def __init__(self, root: str) -> None:
        self._root = root

    def name_for(self, container: str) -> str:
        return container

    def create(self, name: str, resources: Resources | None = None) -> V2Handle:
        handle = self.open(name)
        take_over(handle.directory, name)
        present = os.path.isdir(handle.directory)
        alone = not os.path.isdir(os.path.dirname(handle.directory))
        _make(handle.directory)
        try:
            enable(handle.directory, _WANTED | controllers(resources), levels=handle.levels)
            if resources:
                handle.update(resources)
        except BaseException:
            handle.close()
            if not present:
                os.rmdir(handle.directory)
            if alone:
                remove_above(handle.directory, name)
            raise
        return handle

    def open(self, name: str) -> V2Handle:
        return V2Handle(name, f"{self._root}/{path_of(name)}")

    def names(self) -> list[str]:
        try:
            with os.scandir(f"{self._root}/{PARENT}") as entries:
                return sorted(entry.name for entry in entries if entry.is_dir())
        except FileNotFoundError:
            return []

    def accounts_swap(self) -> bool:
        """Told by any group: the root has no such file."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(f"{self._root}/{PARENT}")
        enable(f"{self._root}/{PARENT}", _WANTED, levels=1)
        return os.path.exists(f"{self._root}/{PARENT}/memory.swap.max")


def _make(directory: str) -> None:
    """With all above it, of which remove_above() of another container may take away what has just been made."""
    try:
        os.makedirs(directory, exist_ok=True)
    except FileNotFoundError:
        _make(directory)


class V2Handle:
    def __init__(self, name: str, directory: str) -> None:
        self.name = name
        self.directory = directory
        self._opened = Opened()

    @property
    def levels(self) -> int:
        """How many groups above this one have a say in what it has: the root and those of its path."""
        return path_of(self.name).count("/") + 1

    @property
    def clone_fd(self) -> int:
        return self._opened.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)

    @property
    def join_fds(self) -> list[int]:
        return []

    @property
    def oom_fd(self) -> int:
        path = f"{self.directory}/memory.events"
        return self._opened.open(path, os.O_RDONLY) if os.path.exists(path) else -1

    def reach(self, pid: int) -> None:
        if not userns.is_machine_root():
            from jubako.linux.cgroup import delegation

            delegation.check_way(pid, self.directory)

    def below(self, paths: Mapping[str, str]) -> V2Handle:
        if set(paths) - {""}:
            raise InvalidArgument("a cgroup of v2 has no path for each controller")
        return type(self)(self.name, inner(self.directory, paths.get("", "")))

    def joined(self) -> None:
        pass

    def mounts(self) -> list[tuple[str, str]]:
        return [(self.directory, "")]

    def update(self, resources: Resources) -> None:
        apply(self.directory, resources)
        # Root's alone to set. An ordinary user makes no devices, and opens what the files' modes let it.
        if resources.devices and userns.is_machine_root():
            from jubako.linux import device_filter

            device_filter.replace(self.clone_fd, resources.devices)

    def stats(self) -> Stats:
        from jubako.linux.cgroup import v2_usage

        return v2_usage.stats(self.directory)

    def usage(self) -> oci_events.Stats:
        from jubako.linux.cgroup import v2_usage

        return v2_usage.usage(self.directory)

    def watch_oom(self) -> OomWatch | None:
        from jubako.linux.cgroup.oom import watch_v2

        return watch_v2(self.directory) if os.path.exists(f"{self.directory}/memory.events") else None

    def pids(self) -> list[int]:
        return pids_of(self.directory)

    def add(self, pid: int) -> None:
        write_text(f"{self.directory}/cgroup.procs", str(pid))

    def freeze(self) -> None:
        if not set_frozen(self.directory, frozen=True):
            self.thaw()
            raise FailedPrecondition("unable to freeze")

    def thaw(self) -> None:
        with contextlib.suppress(FileNotFoundError):  # systemd takes a scope away with its last process
            set_frozen(self.directory, frozen=False)

    def is_frozen(self) -> bool:
        return is_frozen(self.directory)

    def signal_all(self, number: int) -> None:
        signal_frozen(self, number)

    def kill_all(self) -> None:
        path = f"{self.directory}/cgroup.kill"
        try:
            with gone_is_missing(path):
                write_text(path, "1")
        except FileNotFoundError:  # Linux below 5.14, or the group is gone
            if os.path.isdir(self.directory):
                self.signal_all(signal.SIGKILL)

    def remove(self, *, above: bool = True) -> None:
        self.close()
        remove_tree(self.directory, self.kill_all)
        if above:
            remove_above(self.directory, self.name)

    def close(self) -> None:
        self._opened.close()
