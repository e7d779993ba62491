"""Control groups: `manager()` for this machine, and the names of the seam. Ours lie beneath `jubako/`.

seam        what a manager and a handle promise          files       control files, and removal of a tree of groups
v1, v2      the two implementations                      v?_limits   resources of the runtime specification
systemd     groups that systemd makes, on v2             scopes      the names and limits that systemd is told
absent      what root of a user namespace has
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from jubako.errors import FailedPrecondition
from jubako.linux import userns
from jubako.linux.cgroup.seam import PARENT, CgroupHandle, CgroupManager, Hierarchies, Stats, find_hierarchies

if TYPE_CHECKING:
    from jubako.linux.cgroup.systemd import SystemdManager

__all__ = [
    "PARENT",
    "CgroupHandle",
    "CgroupManager",
    "Hierarchies",
    "Stats",
    "find_hierarchies",
    "manager",
    "systemd_manager",
    "usable",
]


@functools.cache
def manager() -> CgroupManager:
    """The manager for this machine: v1 where any controller is on a v1 hierarchy, else v2."""
    found = _hierarchies()
    if found.v1:
        from jubako.linux.cgroup.v1 import V1Manager

        return V1Manager(found)
    from jubako.linux.cgroup.v2 import V2Manager

    return V2Manager(found.unified)


def usable() -> CgroupManager:
    """`manager()`; for root of a user namespace, who may make no groups, one that does without."""
    if userns.is_initial():
        return manager()
    from jubako.linux.cgroup.absent import AbsentManager

    return AbsentManager()


def systemd_manager() -> SystemdManager:
    """The one that has systemd make the groups. FailedPrecondition where that can not be."""
    from jubako.linux.cgroup.systemd import SystemdManager

    found = _hierarchies()
    if found.v1:
        raise FailedPrecondition("--systemd-cgroup needs cgroup v2: this host has controllers on v1")
    return SystemdManager(found.unified)


def _hierarchies() -> Hierarchies:
    with open("/proc/self/mountinfo") as file:
        return find_hierarchies(file.read())
