"""Who the first process is. The answer for a fresh container depends on its image alone, so it is remembered."""

from __future__ import annotations

import msgspec

from jubako.engine.drivers import Drivers
from jubako.engine.record import ContainerRecord
from jubako.runtime import users
from jubako.runtime.users import Identity
from jubako.snapshot import mounted


def identity_of(drivers: Drivers, record: ContainerRecord) -> Identity:
    """Resolve the container's user with the passwd and group files that it will see."""
    if _was_written(drivers, record):
        return _resolve(drivers, record)
    known = drivers.store.records.collection("identity", Identity, lasting=False)
    key = msgspec.json.encode([record.image_id, record.user, record.options.group_add]).decode()
    found = known.find(key)
    if found is None:
        found = _resolve(drivers, record)
        with drivers.store.records.transaction():
            if known.find(key) is None:
                known.insert(key, found)
    return found


def _was_written(drivers: Drivers, record: ContainerRecord) -> bool:
    return (drivers.snapshots.upper(record.id) / "etc").exists()


def _resolve(drivers: Drivers, record: ContainerRecord) -> Identity:
    with mounted(drivers.snapshots.mounts(record.id)) as root_fd:
        return users.resolve(root_fd, record.user, record.options.group_add)
