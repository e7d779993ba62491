"""The end of a pod: noticing it, stopping it, removing it.

`finish` is the one place where a pod that was ready becomes one that has stopped; everybody may call it at any time.
It is idempotent, works from any half state, and runs under the pod's lock.

Concurrency:  the pod's lock is taken before a container's. A container that starts holds its pod's shared, so a pod is
              not taken down under it.
"""

from __future__ import annotations

import time
from contextlib import suppress

from jubako.engine import removal
from jubako.engine.drivers import Drivers, look_up
from jubako.engine.pods import members, sandbox
from jubako.engine.pods.create import note
from jubako.engine.pods.record import READY, REMOVING, STOPPED, PodRecord
from jubako.engine.record import RUNNING
from jubako.errors import Conflict, NotFound
from jubako.store.removal import discard_tree


def refresh(drivers: Drivers, record: PodRecord) -> PodRecord | None:
    """The record as it is true now: one that is gone unnoticed is finished first. None when that removed it."""
    if drivers.pod_places.is_locked(record.id):
        return record
    if record.phase == REMOVING:
        remove(drivers, record, force=True)
        return None
    if record.phase != READY or sandbox.is_there(drivers, record):
        return record
    finish(drivers, record.id)
    return drivers.pods.find(record.id)


def get(drivers: Drivers, text: str) -> PodRecord:
    """Look a pod up, then `refresh`; raises NotFound when it turns out to be gone."""
    record = refresh(drivers, look_up(drivers.pods, text))
    if record is None:
        raise NotFound("pod", text)
    return record


def finish(drivers: Drivers, pod_id: str) -> None:
    """Take down what is left of a ready pod that is not whole any more; its containers have lost their network."""
    with suppress(NotFound), drivers.pod_places.locked(pod_id):
        record = drivers.pods.find(pod_id)
        if record and record.phase == READY and not sandbox.is_there(drivers, record):
            members.stop_all(drivers, record.id, 0)
            _note_end(drivers, record)


def stop(drivers: Drivers, text: str, timeout_s: float | None = None) -> None:
    """Stop its containers, then take it down; nothing happens to one that is not ready."""
    found = get(drivers, text)
    with drivers.pod_places.locked(found.id):
        record = drivers.pods.get(found.id)
        members.stop_all(drivers, record.id, timeout_s)
        if record.phase == READY:
            _note_end(drivers, record)


def _note_end(drivers: Drivers, record: PodRecord) -> None:
    sandbox.take_down(drivers, record)
    record.phase, record.finished_ns = STOPPED, time.time_ns()
    with drivers.store.records.transaction():
        drivers.pods.replace(record.id, record)
        note(drivers, record, "stop")


def remove(drivers: Drivers, record: PodRecord, *, force: bool = False, timeout_s: float | None = None) -> None:
    """Remove a pod with its containers; raises Conflict where one runs, unless `force`, which kills it."""
    with suppress(NotFound), drivers.pod_places.locked(record.id):
        current = drivers.pods.find(record.id)
        if current is None:
            return
        running = [member.name for member in members.of(drivers, current.id) if member.phase == RUNNING]
        if running and not force:
            raise Conflict(
                f"pod {current.name} has running containers ({', '.join(running)}): stop it before, or force"
            )
        current.phase = REMOVING
        drivers.pods.replace(current.id, current)
        _remove_members(drivers, current, timeout_s)
        sandbox.take_down(drivers, current)
        with drivers.store.records.transaction():
            drivers.pods.delete(current.id)
            note(drivers, current, "remove")
        discard_tree(drivers.pod_places.state_dir(current.id))


def _remove_members(drivers: Drivers, record: PodRecord, timeout_s: float | None) -> None:
    members.stop_all(drivers, record.id, 0 if timeout_s is None else timeout_s)
    for member in members.of(drivers, record.id):
        with suppress(NotFound), drivers.locked(member.id):
            if found := drivers.containers.find(member.id):
                removal.remove_ended(drivers, found, volumes=True)


def prune(drivers: Drivers) -> list[str]:
    """Remove the pods that are not ready, with their containers; returns their IDs."""
    removed: list[str] = []
    for _, found in drivers.pods.items():
        record = refresh(drivers, found)
        if record and record.phase != READY and not drivers.pod_places.is_locked(record.id):
            with suppress(Conflict):
                remove(drivers, record)
                removed.append(record.id)
    return removed


def reconcile(drivers: Drivers) -> set[str]:
    """Finish what is gone, and delete the remains of pods without a record; the IDs of those that are ready."""
    for _, record in drivers.pods.items():
        refresh(drivers, record)
    places = drivers.pod_places
    for key in places.present() - set(drivers.pods.keys()):
        if not places.is_locked(key) and drivers.pods.find(key) is None:
            sandbox.discard_run_dir(places.run_dir(key))
            places.discard(key, drivers.pods.find)
    return {key for key, record in drivers.pods.items() if record.phase == READY}
