"""What comes after the end of a container that nobody waits for: it starts again where its restart policy says so."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from jubako.engine import lifecycle
from jubako.engine.drivers import Drivers
from jubako.engine.record import RUNNING
from jubako.errors import FailedPrecondition


def cleanup(drivers: Drivers, container_id: str, start: Callable[[str], object]) -> None:
    """Note the end, and start again after a while, which is longer each time."""
    record = lifecycle.finish(drivers, container_id) or drivers.containers.find(container_id)
    if record is None or record.phase == RUNNING or not record.wants_restart:
        return
    time.sleep(min(0.1 * 2**record.restart_count, 60))
    current = drivers.containers.find(container_id)
    if current is None or current.phase == RUNNING or current.stopped_by_user:
        return
    current.restart_count += 1
    drivers.containers.replace(container_id, current)
    with suppress(FailedPrecondition):
        start(container_id)
