"""Commands that a container's monitor performs in it from time to time (executor/probe.c), and what it writes of them.

A probe is the plan of an exec, with the descriptors that it names; no process of ours stays for it. Its directory has,
besides the files of its last exec, `health` (runtime.health).
"""

from __future__ import annotations

import os
import struct

import msgspec

from jubako.errors import InvalidArgument
from jubako.linux import fd as fds_of
from jubako.runtime import executor
from jubako.runtime import opcodes as op
from jubako.runtime.handle import Handle
from jubako.runtime.health import Health
from jubako.runtime.launch import Launch
from jubako.spec import decoding

_REQUEST = struct.Struct(f"=II5q6i{op.PROBE_FDS_MAX}i")


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """When it is performed, and what makes the status. `after` is the number of a probe that must be healthy before.

    Failures within the start period do not count until something has succeeded; `start_interval_ns` is the interval
    meanwhile, where it is not 0.
    """

    delay_ns: int
    interval_ns: int
    timeout_ns: int
    start_period_ns: int = 0
    start_interval_ns: int = 0
    failures: int = 1
    successes: int = 1
    after: int = -1


def add(handle: Handle, launch: Launch, timing: Timing) -> None:
    """Have the monitor of `handle` perform `launch.spec.process` in its container. Before START, in order of number.

    `launch.run_dir` is the probe's own directory.
    """
    if min(timing.interval_ns, timing.timeout_ns, timing.failures, timing.successes) <= 0:
        raise InvalidArgument("interval, timeout and thresholds of a probe must be positive")
    # Numbers for what the monitor makes each time: nobody else has them while the plan is made.
    reserved = [os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC) for _ in range(3)]
    control, channel, output = (fds_of.above_stdio(fd) for fd in reserved)
    try:
        with executor.probe_plan(handle.pid, launch, channel=channel, output=output) as (plan_fd, fds):
            numbers = [plan_fd, *fds]
            if len(numbers) > op.PROBE_FDS_MAX:
                raise InvalidArgument("a probe needs too many descriptors")
            handle.tell(_request(timing, numbers, control, channel, output), numbers)
    finally:
        fds_of.close_all([control, channel, output])


def _request(timing: Timing, numbers: list[int], *made: int) -> bytes:
    times = (timing.delay_ns, timing.interval_ns, timing.timeout_ns, timing.start_period_ns, timing.start_interval_ns)
    padding = [0] * (op.PROBE_FDS_MAX - len(numbers))
    counts = (timing.failures, timing.successes, timing.after)
    return _REQUEST.pack(op.MESSAGE_PROBE, len(numbers), *times, *counts, *made, *numbers, *padding)


def read(directory: str | os.PathLike[str]) -> Health:
    """What the monitor has written of a probe; nothing has come of it yet where there is nothing."""
    try:
        with open(os.path.join(directory, "health"), "rb") as file:
            return decoding.decode(file.read(), Health)
    except FileNotFoundError:
        return Health()
