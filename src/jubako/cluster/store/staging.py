"""What writes will have done, before they have.

A batch of transactions is checked against the table and against each other; each becomes events with revisions, or an
error. The table changes later, when the events are durable (View.apply).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from jubako.cluster.store.model import Create, Delete, Event, Item, StaleRevision, Update, Write
from jubako.cluster.store.table import Table
from jubako.errors import AlreadyExists, InvalidArgument, JubakoError, NotFound

MAX_VALUE_BYTES = 16 << 20
_MAX_KEY_BYTES = 4096


class Staging:
    """The events of a batch in `events`, which begin after `revision`."""

    def __init__(self, table: Table, revision: int) -> None:
        self.events: list[Event] = []
        self._table = table
        self._revision = revision
        self._staged: dict[str, Item | None] = {}

    def add(self, writes: Sequence[Write]) -> list[Event]:
        """Stage one transaction, all of it or nothing: AlreadyExists, NotFound, StaleRevision."""
        before = self._revision, dict(self._staged) if len(writes) > 1 else None
        try:
            events = [self._stage(write) for write in writes]
        except JubakoError:
            self._revision = before[0]
            self._staged = self._staged if before[1] is None else before[1]
            raise
        self.events += events
        return events

    def _stage(self, write: Write) -> Event:
        previous = self._staged[write.key] if write.key in self._staged else self._table.get(write.key)
        _check(write, previous)
        self._revision += 1
        current = None if isinstance(write, Delete) else Item(write.key, write.value, self._revision)
        self._staged[write.key] = current
        return Event(self._revision, write.key, current, previous)


def _check(write: Write, previous: Item | None) -> None:
    match write:
        case Create():
            if previous:
                raise AlreadyExists("key", write.key)
        case Update() | Delete():
            if not previous:
                raise NotFound("key", write.key)
            if previous.revision != write.revision:
                raise StaleRevision(write.key, write.revision, previous)
        case _:
            assert_never(write)


def validate(writes: Sequence[Write]) -> None:
    """Refuse with InvalidArgument what no store could hold, before it meets the writes of others."""
    for write in writes:
        _validate_key(write.key)
        if not isinstance(write, Delete) and len(write.value) > MAX_VALUE_BYTES:
            raise InvalidArgument(f"the value of {write.key} has {len(write.value)} bytes, more than {MAX_VALUE_BYTES}")


def _validate_key(key: str) -> None:
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(f"the key {key!r} is not Unicode text") from None
    if not encoded or len(encoded) > _MAX_KEY_BYTES or b"\0" in encoded:
        raise InvalidArgument(f"the key {key[:80]!r} is empty, longer than {_MAX_KEY_BYTES} bytes, or has a NUL in it")
