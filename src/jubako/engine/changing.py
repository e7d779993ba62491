"""What of a container can be another than it was made with: its name, its limits, its restart policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from jubako.engine import names, ordinary
from jubako.engine.drivers import Drivers
from jubako.engine.events import emit_container
from jubako.engine.group import group_of
from jubako.engine.lifecycle import get
from jubako.engine.options import CreateOptions, check_types, validate
from jubako.engine.record import RUNNING
from jubako.engine.resources import compile_limits
from jubako.errors import AlreadyExists, InvalidArgument


def rename(drivers: Drivers, text: str, name: str) -> None:
    """Give another name; raises AlreadyExists for a taken one."""
    record = get(drivers, text)
    with drivers.store.records.transaction():
        if name.removeprefix("/") == record.name:
            raise InvalidArgument("Renaming a container with the same name as its current name")
        record.name = names.check(name)
        try:
            drivers.containers.replace(record.id, record, unique=record.uniques)
        except AlreadyExists as error:
            raise AlreadyExists(
                "container",
                name,
                holder=error.holder,
                message=f'Conflict. The container name "/{name}" is already in use by container "{error.holder}". '
                "You have to remove (or rename) that container to be able to reuse that name.",
            ) from None
        emit_container(drivers, record, "rename")


def update(drivers: Drivers, text: str, changes: Mapping[str, Any]) -> None:
    """Change limits and the restart policy in the record, and the limits of one that runs."""
    record = get(drivers, text)
    options = msgspec.structs.replace(record.options, **changes)
    check_types(options)
    validate(options)
    if "restart" in changes:
        ordinary.check_restart(options.restart)
    if record.phase == RUNNING:
        if record.cgroup_place:
            ordinary.check_limits(msgspec.structs.replace(CreateOptions(image=""), **changes))
        limits, _ = ordinary.attainable(compile_limits(options))
        group_of(record).update(limits)
    with drivers.store.records.transaction():
        current = drivers.containers.get(record.id)
        current.options = options
        drivers.containers.replace(record.id, current)
        emit_container(drivers, current, "update")
