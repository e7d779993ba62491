"""pause, resume and ps: what is done to a container's group while it runs."""

from __future__ import annotations

import msgspec

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.linux.cgroup import CgroupHandle
from jubako.runtime import ps
from jubako.runtime.oci.arguments import Arguments
from jubako.runtime.oci.containers import Container


def pause(container: Container) -> None:
    """Freeze every process."""
    if container.status() not in ("created", "running"):
        raise FailedPrecondition("container not running")
    group_of(container, "pause").freeze()


def resume(container: Container) -> None:
    if container.status() != "paused":
        raise FailedPrecondition("container not paused")
    group_of(container, "resume").thaw()


def processes(container: Container, arguments: Arguments) -> str:
    """`ps`: the pids as JSON, or ps(1)'s lines of them with its own options."""
    pids = group_of(container, "ps").pids()
    kind = arguments.option("format", "table")
    if kind == "json":
        return msgspec.json.encode(pids).decode() + "\n"
    if kind != "table":
        raise InvalidArgument(f"invalid format option: {kind}")
    head, lines = ps.lines_of(pids, arguments.words[1:] or ["-ef"])
    return "".join(f"{line}\n" for line in [head, *lines])


def group_of(container: Container, command: str) -> CgroupHandle:
    """The container's group, or why `command` can do nothing."""
    if not container.record.cgroup:
        raise FailedPrecondition(f"{command}: container {container.record.id} has no cgroup of its own")
    return container.group()
