"""A container's root filesystem: its snapshot, made on first need, and its root directory as an fd."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from jubako.engine import process
from jubako.engine.drivers import Drivers
from jubako.engine.record import RUNNING, ContainerRecord
from jubako.errors import NotFound
from jubako.snapshot import mounted


def ensure_snapshot(drivers: Drivers, record: ContainerRecord) -> None:
    """Make the container's snapshot unless it is there; one whose making was interrupted is made anew."""
    try:
        drivers.snapshots.get(record.id)
    except NotFound:
        drivers.snapshots.remove(record.id)
        drivers.snapshots.prepare(record.id, record.layers)


@contextmanager
def opened(drivers: Drivers, record: ContainerRecord) -> Iterator[int]:
    """A directory fd of the root: the running container's own, or a detached mount of its snapshot."""
    if record.phase == RUNNING:
        with process.opened_root(drivers.run_dir(record.id)) as fd:
            yield fd
        return
    ensure_snapshot(drivers, record)
    with mounted(drivers.snapshots.mounts(record.id)) as fd:
        yield fd
