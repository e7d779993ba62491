"""A pod becomes ready: by itself, or for the first of its containers.

Concurrency:  the pod's lock is held while it is made; a container that starts holds it shared, so that its pod is not
              taken down under it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from jubako.engine.attachment import is_bridged, reserve_network
from jubako.engine.claiming import claim
from jubako.engine.drivers import Drivers
from jubako.engine.pods import sandbox
from jubako.engine.pods.create import note
from jubako.engine.pods.record import CREATED, NET, READY, REMOVING, PodRecord
from jubako.errors import FailedPrecondition, Unavailable

_ATTEMPTS_TO_JOIN = 5


def start(drivers: Drivers, pod_id: str) -> PodRecord:
    """Make the pod ready, unless it is; raises what kept it from that, and then nothing of it is left."""
    with drivers.pod_places.locked(pod_id):
        record = drivers.pods.get(pod_id)
        if record.phase == REMOVING:
            raise FailedPrecondition(f"pod {record.name} is being removed")
        if record.phase == READY:
            if sandbox.is_there(drivers, record):
                return record
            sandbox.take_down(drivers, record)
        _claim(drivers, record)
        try:
            sandbox.build(drivers, record)
        except BaseException as error:
            record.phase, record.started_ns, record.error = CREATED, 0, str(error)
            drivers.pods.replace(record.id, record)
            raise
        with drivers.store.records.transaction():
            note(drivers, record, "start")
        return record


@contextmanager
def ready_pod(drivers: Drivers, pod_id: str) -> Iterator[None]:
    """For the start of a member: the pod is made ready where it is not, and stays that while the body runs."""
    for _ in range(_ATTEMPTS_TO_JOIN):
        with drivers.pod_places.locked(pod_id, shared=True):
            record = drivers.pods.get(pod_id)
            if record.phase == READY and sandbox.is_there(drivers, record):
                yield
                return
        start(drivers, pod_id)
    raise Unavailable(f"pod {pod_id} is stopped again and again")


def _claim(drivers: Drivers, record: PodRecord) -> None:
    """Record the start before the act."""
    record.phase, record.started_ns, record.finished_ns, record.error = READY, time.time_ns(), 0, ""

    def recorded() -> None:
        if NET in record.kept and is_bridged(record):
            reserve_network(drivers, record)
        drivers.pods.replace(record.id, record)

    claim(drivers, recorded)
