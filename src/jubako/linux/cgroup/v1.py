"""cgroup v1, one directory per hierarchy; with a unified hierarchy beside it (hybrid) that one kills and freezes.

A process joins by writing "0" to `tasks`: moving another by its pid waits for an RCU grace period, 5 to 33 ms
(kernel/cgroup/cgroup.c, cgroup_procs_write_start). cpuset, hugetlb, rdma and net_* are joined only when a container
asks for what they do; hugetlb and rdma may also stand on the unified hierarchy of a hybrid host.
"""

from __future__ import annotations

import os

from jubako.linux.cgroup.files import remove_above, take_over
from jubako.linux.cgroup.seam import PARENT, Hierarchies, path_of
from jubako.linux.cgroup.v1_group import V1Handle, make
from jubako.linux.cgroup.v1_limits import wanted
from jubako.spec.oci_runtime import Resources

_ALWAYS = ("memory", "pids", "devices", "cpu", "cpuacct", "blkio")
_SOMETIMES = ("cpuset", "hugetlb", "rdma", "net_cls", "net_prio")


class V1Manager:
    version = "v1"
    driver = "cgroupfs"

    def __init__(self, hierarchies: Hierarchies) -> None:
        self._v1 = hierarchies.v1
        self._unified = hierarchies.unified
        if self._unified:
            self.version = "hybrid"

    def name_for(self, container: str) -> str:
        return container

    def create(self, name: str, resources: Resources | None = None) -> V1Handle:
        handle = self._handle(name, wanted(resources))
        directories = dict.fromkeys(handle.directories.values())
        for left in set(self.open(name).directories.values()) - set(directories):
            take_over(left, name)
        made: list[str] = []
        alone = not os.path.isdir(os.path.dirname(handle.control))
        try:
            for directory in directories:
                if not make(directory):
                    take_over(directory, name)
                    if not make(directory):
                        continue
                made.append(directory)
            if resources:
                handle.update(resources)
        except BaseException:
            handle.close()
            for directory in made:
                os.rmdir(directory)
                if alone:
                    remove_above(directory, name)
            raise
        return handle

    def open(self, name: str) -> V1Handle:
        group = path_of(name)
        present = {kind for kind in _SOMETIMES if kind in self._v1 and os.path.isdir(f"{self._v1[kind]}/{group}")}
        return self._handle(name, present)

    def _handle(self, name: str, optional: set[str]) -> V1Handle:
        group = path_of(name)
        kinds = [kind for kind in (*_ALWAYS, *_SOMETIMES) if kind in _ALWAYS or kind in optional]
        roots = {kind: self._v1[kind] for kind in kinds if kind in self._v1}
        if self._unified:
            roots["unified"] = self._unified
        elif "freezer" in self._v1:
            roots["freezer"] = self._v1["freezer"]
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

    def accounts_swap(self) -> bool:
        return os.path.exists(f"{self._v1.get('memory')}/memory.memsw.limit_in_bytes")
