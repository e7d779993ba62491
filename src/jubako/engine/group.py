"""A container's control group: chosen at each start, found again by any command, whatever that one may make itself."""

from __future__ import annotations

from jubako.engine.record import ContainerRecord
from jubako.linux import cgroup
from jubako.linux.cgroup import CgroupHandle


def choose(record: ContainerRecord) -> None:
    """Note in the record where the group of the coming run is to be, and its name."""
    name = f"pod{record.options.pod}/{record.id}" if record.options.pod else record.id
    record.cgroup_place = "" if record.options.pod else cgroup.place()
    record.cgroup = cgroup.at(record.cgroup_place).name_for(name)


def group_of(record: ContainerRecord) -> CgroupHandle:
    """The group of its last run."""
    return cgroup.at(record.cgroup_place).open(record.cgroup)
