"""What happened, in order: Docker's event messages, kept as records.

A message is inserted in the same transaction as the change that it tells of, so that neither exists without the other.
The newest KEEP messages are kept.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from jubako.engine.drivers import Drivers
from jubako.engine.record import ContainerRecord
from jubako.image.catalog import Image
from jubako.spec.oci_image import ContainerConfig
from jubako.store import Collection

KEEP = 4096
_POLL_S = 0.1
_sequence = itertools.count()


class Event(msgspec.Struct, frozen=True):
    """`time_ns` since the epoch; `attributes` as Docker's Actor.Attributes."""

    type: str
    action: str
    id: str
    attributes: dict[str, str]
    time_ns: int

    def to_docker(self) -> dict[str, Any]:
        """The message of `GET /events`."""
        message: dict[str, Any] = {
            "Type": self.type,
            "Action": self.action,
            "Actor": {"ID": self.id, "Attributes": self.attributes},
            "scope": "local",
            "time": self.time_ns // 1_000_000_000,
            "timeNano": self.time_ns,
        }
        if self.type == "container":
            message = {"status": self.action, "id": self.id, "from": self.attributes.get("image", ""), **message}
        return message


def _collection(drivers: Drivers) -> Collection[Event]:
    return drivers.store.records.collection("event", Event, lasting=False)


def emit(drivers: Drivers, kind: str, action: str, actor_id: str, attributes: Mapping[str, str]) -> None:
    """Record one message; call it inside the transaction of the change."""
    now = time.time_ns()
    event = Event(type=kind, action=action, id=actor_id, attributes=dict(attributes), time_ns=now)
    collection = _collection(drivers)
    collection.insert(f"{now:020d}.{os.getpid():08d}.{next(_sequence):06d}", event)
    # One message in 256 pays for all: no process need live long enough to count.
    if os.urandom(1) == b"\0":
        trim(drivers)


def trim(drivers: Drivers, keep: int = KEEP) -> None:
    """Forget all but the newest messages."""
    collection = _collection(drivers)
    with drivers.store.records.transaction():
        for key in collection.keys()[:-keep]:
            collection.delete(key)


def emit_container(drivers: Drivers, record: ContainerRecord, action: str, **attributes: str) -> None:
    """A container's message carries its image, name and labels."""
    shared = {"image": record.image_name, "name": record.name, **record.labels}
    emit(drivers, "container", action, record.id, {**shared, **attributes})


def emit_image(drivers: Drivers, action: str, image: Image, name: str) -> None:
    """Record the message in a transaction of its own. An image's carries its labels, and the name that was used."""
    labels = (image.config.config or ContainerConfig()).labels or {}
    with drivers.store.records.transaction():
        emit(drivers, "image", action, name, {"name": name, **labels})


def stream(
    drivers: Drivers,
    *,
    since_ns: int | None = None,
    until_ns: int | None = None,
    accept: Callable[[Event], bool] = lambda event: True,
) -> Iterator[Event]:
    """Messages from `since_ns` on (None: from now) until `until_ns` (None: for ever; waits for new ones)."""
    collection = _collection(drivers)
    last = f"{since_ns:020d}" if since_ns is not None else f"{time.time_ns():020d}"
    while True:
        for key, event in collection.items(after=last):
            last = key
            if until_ns is not None and event.time_ns > until_ns:
                return
            if accept(event):
                yield event
        if until_ns is not None and time.time_ns() >= until_ns:
            return
        time.sleep(_POLL_S)
