"""No control groups: of those who may make none (delegation). What only a group can do is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn

from jubako.errors import FailedPrecondition
from jubako.linux.cgroup.seam import Stats
from jubako.spec.oci_runtime import Resources

if TYPE_CHECKING:
    from jubako.linux.cgroup.oom import OomWatch
    from jubako.spec import oci_events


class AbsentGroup:
    """One that is not there; its container is in the groups of whoever started it."""

    clone_fd = oom_fd = -1

    def __init__(self, name: str) -> None:
        self.name = name
        self.join_fds: list[int] = []

    def reach(self, pid: int) -> None:
        pass

    def below(self, paths: Mapping[str, str]) -> AbsentGroup:
        return self

    def joined(self) -> None:
        pass

    def mounts(self) -> list[tuple[str, str]]:
        return []

    def update(self, resources: Resources) -> None:
        _refuse("the limits of a container can not be changed")

    def stats(self) -> Stats:
        _refuse("what a container uses is not counted")

    def usage(self) -> oci_events.Stats:
        _refuse("what a container uses is not counted")

    def watch_oom(self) -> OomWatch | None:
        return None

    def pids(self) -> list[int]:
        _refuse("the processes of a container are not known")

    def add(self, pid: int) -> None:
        pass

    def freeze(self) -> None:
        _refuse("a container can not be paused")

    def thaw(self) -> None:
        pass

    def is_frozen(self) -> bool:
        return False

    def signal_all(self, number: int) -> None:
        _refuse("the processes of a container are not known")

    def kill_all(self) -> None:
        """They are in its pid namespace, and end with its first process."""

    def remove(self, *, above: bool = True) -> None:
        pass

    def close(self) -> None:
        pass


class AbsentManager:
    version = driver = "none"

    def name_for(self, container: str) -> str:
        return container

    def create(self, name: str, resources: Resources | None = None) -> AbsentGroup:
        return AbsentGroup(name)

    def open(self, name: str) -> AbsentGroup:
        return AbsentGroup(name)

    def names(self) -> list[str]:
        return []

    def accounts_swap(self) -> bool:
        return False


def _refuse(what: str) -> NoReturn:
    raise FailedPrecondition(f"{what}: it has no control group", hint="jubako doctor tells how to get them")
