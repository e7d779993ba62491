"""One group of v1: a directory in each hierarchy, and on a hybrid host one in the unified hierarchy."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Mapping
from typing import TYPE_CHECKING

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.linux.cgroup.files import (
    enable,
    inner,
    is_frozen,
    pids_of,
    read_text,
    remove_above,
    remove_tree,
    set_frozen,
    wait_for,
    write_text,
)
from jubako.linux.cgroup.seam import Opened, Stats, path_of
from jubako.linux.cgroup.signals import signal_frozen, signal_until_quiet
from jubako.linux.cgroup.v1_limits import apply, wanted, write_device_rules
from jubako.spec.oci_runtime import DeviceRule, Resources

if TYPE_CHECKING:  # what only `events` needs
    from jubako.linux.cgroup.oom import OomWatch
    from jubako.spec import oci_events

_EITHER = ("hugetlb", "rdma")


class V1Handle:
    """`directories`: controller (or "unified") -> directory of this group."""

    def __init__(self, name: str, directories: dict[str, str], roots: dict[str, str]) -> None:
        self.name = name
        self.directories = directories
        self._roots = roots
        self._opened = Opened()

    @property
    def control(self) -> str:
        """A directory where every process of the group can be seen."""
        kinds = ("unified", "freezer", "memory", "pids")
        found = (self.directories[kind] for kind in kinds if kind in self.directories)
        return next(found, None) or next(iter(self.directories.values()))

    @property
    def clone_fd(self) -> int:
        unified = self.directories.get("unified")
        return self._opened.open(unified, os.O_RDONLY | os.O_DIRECTORY) if unified else -1

    @property
    def join_fds(self) -> list[int]:
        directories = {path: None for kind, path in self.directories.items() if kind != "unified"}
        return [self._opened.open(f"{path}/tasks", os.O_WRONLY) for path in directories]

    @property
    def oom_fd(self) -> int:
        memory = self.directories.get("memory")
        return self._opened.open(f"{memory}/memory.oom_control", os.O_RDONLY) if memory else -1

    def reach(self, pid: int) -> None:
        """Root may from everywhere, and nobody else has groups of v1."""

    def below(self, paths: Mapping[str, str]) -> V1Handle:
        unknown = set(paths) - {"", *self._roots, *self.directories}
        if unknown:
            raise InvalidArgument(f"unknown controller {sorted(unknown)[0]} in process's cgroups")
        found = {
            kind: inner(path, paths.get(kind, paths.get("", "")), missing_ok=kind == "unified")
            for kind, path in self.directories.items()
        }
        return V1Handle(self.name, found, self._roots)

    def joined(self) -> None:
        pass

    def mounts(self) -> list[tuple[str, str]]:
        mounted = [(kind, path) for kind, path in self.directories.items() if kind in self._roots]
        return [(path, os.path.basename(self._roots[kind])) for kind, path in mounted]

    def _limited(self) -> dict[str, str]:
        """Where limits are written: the directories, and the unified one for what only that can have."""
        unified = self.directories.get("unified")
        either = {kind: unified for kind in _EITHER if unified and kind not in self._roots}
        return {**either, **self.directories}

    def _enable(self, resources: Resources) -> None:
        """Have the unified hierarchy's controllers that `resources` needs."""
        kinds = (wanted(resources) & set(_EITHER)) - set(self._roots)
        if kinds and (unified := self.directories.get("unified")):
            enable(unified, kinds, levels=path_of(self.name).count("/") + 1)

    def update(self, resources: Resources) -> None:
        for kind in sorted(wanted(resources) & set(self._roots) - set(self.directories)):
            self._join(kind)
        self._enable(resources)
        if resources.devices:
            self._set_devices(resources.devices)
        apply(self._limited(), resources)

    def _set_devices(self, rules: list[DeviceRule]) -> None:
        """A hybrid host may have no devices hierarchy: there v2's filter does it."""
        if "devices" in self.directories or "unified" not in self.directories:
            write_device_rules(self.directories.get("devices", ""), rules)
            return
        from jubako.linux import device_filter

        device_filter.replace(self.clone_fd, rules)

    def _join(self, kind: str) -> None:
        """Move all processes into a controller that none was in; those that fork meanwhile are moved, too."""
        directory = f"{self._roots[kind]}/{path_of(self.name)}"
        make(directory)
        while left := set(self.pids()) - set(pids_of(directory)):
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    write_text(f"{directory}/cgroup.procs", str(pid))
        self.directories[kind] = directory

    def stats(self) -> Stats:
        from jubako.linux.cgroup import v1_usage

        return v1_usage.stats(self.directories)

    def usage(self) -> oci_events.Stats:
        from jubako.linux.cgroup import v1_usage, v2_usage

        directories = self.directories
        if "cpuset" in self._roots:
            directories = {"cpuset": f"{self._roots['cpuset']}/{path_of(self.name)}", **directories}
        used = v1_usage.usage(directories)
        if not used.hugetlb and "unified" in directories:
            used.hugetlb = v2_usage.hugetlb(directories["unified"])
        return used

    def watch_oom(self) -> OomWatch | None:
        from jubako.linux.cgroup.oom import watch_v1

        return watch_v1(self.directories["memory"]) if "memory" in self.directories else None

    def pids(self) -> list[int]:
        return pids_of(self.control)

    def add(self, pid: int) -> None:
        for directory in dict.fromkeys(self.directories.values()):
            write_text(f"{directory}/cgroup.procs", str(pid))

    def freeze(self) -> None:
        if not self._set_frozen(frozen=True):
            self.thaw()
            raise FailedPrecondition("unable to freeze")

    def thaw(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._set_frozen(frozen=False)

    def is_frozen(self) -> bool:
        if "unified" in self.directories:
            return is_frozen(self.directories["unified"])
        try:
            return self._can_freeze() and read_text(f"{self.directories['freezer']}/freezer.state").strip() != "THAWED"
        except FileNotFoundError:
            return False

    def _set_frozen(self, *, frozen: bool) -> bool:
        if not self._can_freeze():
            raise FailedPrecondition("cannot toggle freezer: cgroups not configured for container")
        if "unified" in self.directories:
            return set_frozen(self.directories["unified"], frozen=frozen)
        return wait_for(lambda: self._is_in_state("FROZEN" if frozen else "THAWED"))

    def _can_freeze(self) -> bool:
        return "unified" in self.directories or "freezer" in self.directories

    def _is_in_state(self, wanted_state: str) -> bool:
        """Ask v1's freezer again: it stays FREEZING when a process forked or was traced at the wrong moment."""
        path = f"{self.directories['freezer']}/freezer.state"
        write_text(path, wanted_state)
        return read_text(path).strip() == wanted_state

    def signal_all(self, number: int) -> None:
        (signal_frozen if self._can_freeze() else signal_until_quiet)(self, number)

    def kill_all(self) -> None:
        unified = self.directories.get("unified")
        if unified and os.path.exists(f"{unified}/cgroup.kill"):
            write_text(f"{unified}/cgroup.kill", "1")
        else:
            self.signal_all(signal.SIGKILL)

    def remove(self, *, above: bool = True) -> None:
        self.close()
        for directory in dict.fromkeys(self.directories.values()):
            remove_tree(directory, self.kill_all)
            if above:
                remove_above(directory, self.name)

    def close(self) -> None:
        self._opened.close()


def make(directory: str) -> bool:
    """Make a group, and those above it where they are missing; False when it is there already."""
    try:
        os.mkdir(directory)
    except FileExistsError:
        return False
    except FileNotFoundError:  # or it was, and remove_above() of another container took it away since
        make(os.path.dirname(directory))
        return make(directory)
    _fill_cpuset(directory)
    return True


def _fill_cpuset(directory: str) -> None:
    """A new cpuset group has no cpus and no mems, and takes no process until it has: it gets its parent's."""
    for file in ("cpuset.cpus", "cpuset.mems"):
        path = f"{directory}/{file}"
        if "/cpuset/" in path and not read_text(path).strip():
            write_text(path, read_text(f"{os.path.dirname(directory)}/{file}").strip())
