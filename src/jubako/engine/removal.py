"""Removing a container: its snapshot, its files, its anonymous volumes, and its record last.

The record says `removing` before the first file goes, so that whoever finds a half-removed container goes on with it.
"""

from __future__ import annotations

from jubako.engine.drivers import Drivers
from jubako.engine.events import emit_container
from jubako.engine.record import REMOVING, ContainerRecord
from jubako.errors import JubakoError, NotFound
from jubako.store.removal import discard_tree

__all__ = ["REMOVING", "forget", "remove_ended", "remove_files", "remove_remains"]


def remove_ended(drivers: Drivers, record: ContainerRecord, *, volumes: bool) -> None:
    """Remove a container that does not run; the caller holds its lock."""
    record.phase = REMOVING
    drivers.containers.replace(record.id, record)
    remove_files(drivers, record, volumes=volumes)
    forget(drivers, record)


def remove_remains(drivers: Drivers, record: ContainerRecord) -> None:
    """Go on with a removal that was interrupted."""
    try:
        with drivers.locked(record.id):
            if drivers.containers.find(record.id):
                remove_files(drivers, record, volumes=False)
                forget(drivers, record)
    except NotFound:
        forget(drivers, record)


def remove_files(drivers: Drivers, record: ContainerRecord, *, volumes: bool) -> None:
    """Everything but the record and the directory with the lock."""
    drivers.snapshots.remove(record.id)
    discard_tree(drivers.run_dir(record.id))
    if volumes:
        _remove_anonymous_volumes(drivers, record)


def forget(drivers: Drivers, record: ContainerRecord, ended: str | None = None, **attributes: str) -> None:
    """Delete the record, with the message `ended` before `destroy` when the container ended just now."""
    with drivers.store.records.transaction():
        if not drivers.records_of(record).delete(record.id):
            return
        if ended:
            emit_container(drivers, record, ended, **attributes)
        emit_container(drivers, record, "destroy")
    discard_tree(drivers.state_dir(record.id))


def _remove_anonymous_volumes(drivers: Drivers, record: ContainerRecord) -> None:
    def others(name: str) -> list[str]:
        return [user for user in volume_users(drivers, name) if user != record.id]

    for point in record.mounts:
        if point.type == "volume" and point.anonymous and point.name:
            try:
                drivers.volumes.remove(point.name, users=others)
            except JubakoError:
                continue  # Another container uses it too; `volume prune` takes it later.


def volume_users(drivers: Drivers, name: str) -> list[str]:
    """IDs of the containers that mount the volume."""
    return [
        container_id
        for container_id, record in drivers.containers.items()
        if any(point.type == "volume" and point.name == name for point in record.mounts)
    ]
