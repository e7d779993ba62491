"""Control groups: `manager()` for this machine, and the names of the seam. Ours lie beneath `jubako/`.

seam        what a manager and a handle promise          files       control files, and removal of a tree of groups
v1, v2      the two implementations                      v?_limits   resources of the runtime specification
systemd     groups that systemd makes, on v2             scopes      the names and limits that systemd is told
delegation  what who is not root of the machine may have                absent      where that is nothing

A container's record has the `place()` of its group, so that any later command, which may be given something else,
finds it again: `at(place)`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from jubako.errors import FailedPrecondition
from jubako.linux import userns
from jubako.linux.cgroup.seam import (
    PARENT,
    SYSTEMD,
    CgroupHandle,
    CgroupManager,
    Hierarchies,
    Stats,
    find_hierarchies,
    hierarchies,
)

if TYPE_CHECKING:
    from jubako.linux.cgroup.delegation import Delegation
    from jubako.linux.cgroup.systemd import SystemdManager

__all__ = [
    "PARENT",
    "SYSTEMD",
    "CgroupHandle",
    "CgroupManager",
    "Hierarchies",
    "Stats",
    "at",
    "delegated",
    "find_hierarchies",
    "manager",
    "place",
    "systemd_manager",
    "usable",
]


@functools.cache
def manager() -> CgroupManager:
    """The manager for this machine: v1 where any controller is on a v1 hierarchy, else v2."""
    found = hierarchies()
    if found.v1:
        from jubako.linux.cgroup.v1 import V1Manager

        return V1Manager(found)
    from jubako.linux.cgroup.v2 import V2Manager

    return V2Manager(found.unified)


@functools.cache
def delegated(*, systemd: bool = True) -> Delegation:
    """What is given to who is not root of the machine; with or without asking systemd."""
    from jubako.linux.cgroup import delegation

    return delegation.choose(delegation.look(systemd=systemd))


def place() -> str:
    """Where new groups are to be: "" for `manager()`'s, and where there are none."""
    return "" if userns.is_initial() else delegated().place


def at(place: str) -> CgroupManager:
    """The manager of the groups at a place that `place()` told once."""
    if place == SYSTEMD:
        from jubako.linux.cgroup.systemd import SystemdManager

        return SystemdManager(hierarchies().unified)
    if place:
        from jubako.linux.cgroup.v2 import V2Manager

        return V2Manager(hierarchies().unified + place.rstrip("/"))
    if userns.is_initial():
        return manager()
    from jubako.linux.cgroup.absent import AbsentManager

    return AbsentManager()


def usable() -> CgroupManager:
    """The manager of new groups."""
    return at(place())


def systemd_manager() -> SystemdManager:
    """The one that has systemd make the groups. FailedPrecondition where that can not be."""
    from jubako.linux import systemd
    from jubako.linux.cgroup.systemd import SystemdManager

    found = hierarchies()
    if found.v1:
        raise FailedPrecondition("--systemd-cgroup needs cgroup v2: this host has controllers on v1")
    if not systemd.runs():
        raise FailedPrecondition("--systemd-cgroup: systemd does not run here")
    return SystemdManager(found.unified)
