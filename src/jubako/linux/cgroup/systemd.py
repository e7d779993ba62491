"""Groups that systemd makes: each a transient scope, delegated to us (`jubako-oci --systemd-cgroup`, and the containers
of ordinary users). cgroup v2 alone.

A handle's name is the group's whole path, whose last part is the unit. A scope is made around a process, and is
collected with its last one; the container's first process comes later, by clone, so that another one, the *seat*,
keeps its place until then. The seat reads a pipe of ours: it ends when we do, however we end, and then an empty scope
does, too.

An ordinary user's processes go nowhere from a session's group, which is root's. systemd moves them where they may go
on from: the caller into a scope of its own, in which it stays, and with it the container's monitor.
"""

from __future__ import annotations

import contextlib
import os

import msgspec

from jubako.errors import FailedPrecondition, Unavailable
from jubako.linux import systemd, userns
from jubako.linux.cgroup import delegation, scopes
from jubako.linux.cgroup.files import remove_tree, wait_for
from jubako.linux.cgroup.seam import check_name
from jubako.linux.cgroup.v2 import V2Handle
from jubako.linux.systemd import Property, Systemd
from jubako.spec.oci_runtime import Resources


class Seat:
    """A process that waits for the end of this one, or of its own `leave`."""

    def __init__(self) -> None:
        reader, self._writer = os.pipe2(os.O_CLOEXEC)
        try:
            streams = [(os.POSIX_SPAWN_DUP2, reader, 0), (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
            self.pid = os.posix_spawnp("cat", ["cat"], {"PATH": os.defpath}, file_actions=streams, setsigmask=())
        except BaseException:
            os.close(self._writer)
            raise
        finally:
            os.close(reader)

    def leave(self) -> None:
        os.close(self._writer)
        os.waitpid(self.pid, 0)


class SystemdManager:
    version = "v2"
    driver = "systemd"

    def __init__(self, root: str) -> None:
        self._root = root

    def name_of(self, cgroups_path: str, container: str) -> str:
        """The name of the group of a container whose specification has `cgroups_path`."""
        with Systemd() as manager:
            above = manager.control_group()
        slice_, unit = scopes.unit_names(cgroups_path, container, user=systemd.is_users())
        return f"{above}{scopes.expand_slice(slice_)}/{unit}".lstrip("/")

    def name_for(self, container: str) -> str:
        return self.name_of("", container)

    def create(self, name: str, resources: Resources | None = None) -> SystemdHandle:
        """Make the scope with its limits. One of that name that is there already is refused by systemd."""
        handle, resources = self.open(name), _enforced(resources or Resources())
        handle.seat = Seat()
        try:
            with Systemd() as manager:
                manager.start_scope(handle.unit, _scope(handle, resources))
            handle.write(resources)
        except BaseException:
            handle.joined()
            raise
        return handle

    def open(self, name: str) -> SystemdHandle:
        return SystemdHandle(name, f"{self._root}/{check_name(name)}")

    def names(self) -> list[str]:
        """None: which scopes are containers' is not to be seen."""
        return []

    def accounts_swap(self) -> bool:
        return os.path.exists(f"{self._root}/system.slice/memory.swap.max")


class SystemdHandle(V2Handle):
    seat: Seat | None = None

    @property
    def unit(self) -> str:
        return self.name.rpartition("/")[2]

    def reach(self, pid: int) -> None:
        if userns.is_machine_root() or delegation.has_way(pid, self.directory):
            return
        unit = f"jubako-command-{os.urandom(8).hex()}.scope"
        with Systemd() as manager:
            manager.start_scope(unit, _properties("Command of jubako", "user.slice", pid))

    def joined(self) -> None:
        if self.seat:
            self.seat.leave()
            self.seat = None

    def update(self, resources: Resources) -> None:
        resources = _enforced(resources)
        with Systemd() as manager:
            manager.set_properties(self.unit, scopes.properties(resources))
        self.write(resources)

    def write(self, resources: Resources) -> None:
        """The control files: exact, and of all that has no property."""
        super().update(resources)

    def remove(self, *, above: bool = True) -> None:
        self.joined()
        self.close()
        with contextlib.suppress(FileNotFoundError):
            self.kill_all()
        # Where it is out of reach, it collects what is empty all the same.
        if systemd.runs():
            with contextlib.suppress(FailedPrecondition, Unavailable), Systemd() as manager:
                manager.stop(self.unit)
        if not wait_for(lambda: not os.path.isdir(self.directory)):
            remove_tree(self.directory, self.kill_all)  # and nothing above it: slices are systemd's


def _enforced(resources: Resources) -> Resources:
    """What the user's own systemd can do has no device rules in it."""
    return resources if userns.is_machine_root() else msgspec.structs.replace(resources, devices=[])


def _scope(handle: SystemdHandle, resources: Resources) -> list[Property]:
    slice_ = os.path.basename(os.path.dirname(handle.name))
    if not handle.seat:
        raise FailedPrecondition(f"{handle.unit} has no process")
    accounting = [(f"{kind}Accounting", ("b", True)) for kind in ("CPU", "Memory", "IO", "Tasks")]
    return [
        *_properties(
            f"Container {handle.unit.removesuffix('.scope')}",
            slice_ if slice_.endswith(".slice") else "-.slice",
            handle.seat.pid,
        ),
        ("Delegate", ("b", True)),
        *accounting,
        *scopes.properties(resources),
    ]


def _properties(description: str, slice_: str, pid: int) -> list[Property]:
    """Of any scope of ours."""
    return [
        ("Description", ("s", description)),
        ("Slice", ("s", slice_)),
        ("DefaultDependencies", ("b", False)),
        ("CollectMode", ("s", "inactive-or-failed")),
        ("PIDs", ("au", [pid])),
    ]
