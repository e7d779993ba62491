"""`events`: what a container uses, at intervals, and when it runs out of memory. A line of JSON for each."""

from __future__ import annotations

import os
import re
import select
import time
from contextlib import ExitStack

import msgspec

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.linux.cgroup import CgroupHandle
from jubako.runtime.oci.arguments import Arguments
from jubako.runtime.oci.containers import Container
from jubako.runtime.oci.control import group_of
from jubako.spec.oci_events import Event

_UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PIECE = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


def events(container: Container, arguments: Arguments) -> None:
    """Print one `stats` with --stats; else one every --interval, and each `oom`, until the container ends."""
    interval_s = seconds(arguments.option("interval", "5s"))
    if container.status() in ("creating", "stopped"):
        raise FailedPrecondition(f"container with id {container.record.id} is not running")
    group = group_of(container, "events")
    if arguments.given("stats"):
        _print_stats(container, group)
    else:
        _follow(container, group, interval_s)


def seconds(text: str) -> float:
    """A duration such as 1m30s or 500ms."""
    if not re.fullmatch(f"({_PIECE.pattern})+", text):
        raise InvalidArgument(f"invalid duration: {text}")
    total_s = sum(float(number) * _UNITS_S[unit] for number, unit in _PIECE.findall(text))
    if total_s <= 0:
        raise InvalidArgument("duration interval must be greater than 0")
    return total_s


def _follow(container: Container, group: CgroupHandle, interval_s: float) -> None:
    with ExitStack() as stack:
        poll = select.poll()
        init = os.pidfd_open(container.record.pid)
        stack.callback(os.close, init)
        poll.register(init, select.POLLIN)
        watch = group.watch_oom()
        if watch:
            stack.callback(watch.close)
            poll.register(watch.fd, watch.mask)
        due = time.monotonic() + interval_s
        while container.alive():
            poll.poll(max(due - time.monotonic(), 0) * 1000)
            for _ in range(watch.news() if watch else 0):
                _print(Event(type="oom", id=container.record.id))
            if time.monotonic() >= due and container.alive():
                due += interval_s
                _print_stats(container, group)


def _print_stats(container: Container, group: CgroupHandle) -> None:
    _print(Event(type="stats", id=container.record.id, data=group.usage()))


def _print(event: Event) -> None:
    os.write(1, msgspec.json.encode(event) + b"\n")
