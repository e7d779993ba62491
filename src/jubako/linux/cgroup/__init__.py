"""Control groups: `manager()` for this machine, and the names of the seam. All groups lie beneath `jubako/`.

seam        what a manager and a handle promise          files       control files, and removal of a tree of groups
v1, v2      the two implementations                      v?_limits   resources of the runtime specification
"""

from __future__ import annotations

import functools

from jubako.linux.cgroup.seam import PARENT, CgroupHandle, CgroupManager, Hierarchies, Stats, find_hierarchies

__all__ = ["PARENT", "CgroupHandle", "CgroupManager", "Hierarchies", "Stats", "find_hierarchies", "manager"]


@functools.cache
def manager() -> CgroupManager:
    """The manager for this machine: v1 where any controller is on a v1 hierarchy, else v2."""
    with open("/proc/self/mountinfo") as file:
        found = find_hierarchies(file.read())
    if found.v1:
        from jubako.linux.cgroup.v1 import V1Manager

        return V1Manager(found)
    from jubako.linux.cgroup.v2 import V2Manager

    return V2Manager(found.unified)
