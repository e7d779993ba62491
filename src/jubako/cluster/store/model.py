"""What the object store holds, what happens to it, and what it refuses.

A key is a path (`/registry/<group>/<resource>/<namespace>/<name>`), a value is bytes that the store never reads. Each
write has one revision, a number that only grows: it is the `resourceVersion` of the object, and of the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import msgspec

from jubako.errors import Conflict, FailedPrecondition, Unavailable

FIRST_REVISION = 1
"""Of a store in which nothing was ever written. 0 is no revision: to Kubernetes it means any."""


class Item(msgspec.Struct, frozen=True, gc=False):
    """A value under its key; `revision` is that of the write that put it there."""

    key: str
    value: bytes
    revision: int


class Create(msgspec.Struct, frozen=True, gc=False):
    """Put a value under a key that has none; AlreadyExists."""

    key: str
    value: bytes


class Update(msgspec.Struct, frozen=True, gc=False):
    """Replace the value that `revision` wrote; StaleRevision, NotFound."""

    key: str
    value: bytes
    revision: int


class Delete(msgspec.Struct, frozen=True, gc=False):
    """Remove the value that `revision` wrote; StaleRevision, NotFound."""

    key: str
    revision: int


Write = Create | Update | Delete


class EventKind(Enum):
    """The words of a Kubernetes watch."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


class Event(msgspec.Struct, frozen=True, gc=False):
    """What one write did: `previous` was under the key, `current` is there now; one of them may be nothing."""

    revision: int
    key: str
    current: Item | None
    previous: Item | None

    @property
    def kind(self) -> EventKind:
        if self.current is None:
            return EventKind.DELETED
        return EventKind.ADDED if self.previous is None else EventKind.MODIFIED


class Page(msgspec.Struct, frozen=True, gc=False):
    """Items in the order of their keys as they were at `revision`; `remaining` more come after the last of them."""

    items: Sequence[Item]
    revision: int
    remaining: int


class StaleRevision(Conflict):
    """The write expected another revision than `current` has."""

    def __init__(self, key: str, expected: int, current: Item) -> None:
        super().__init__(f"{key} is at revision {current.revision}, not {expected}")
        self.key = key
        self.expected = expected
        self.current = current


class Gone(FailedPrecondition):
    """What happened after `revision` is no longer known in full: list again. 410 in Kubernetes."""

    def __init__(self, revision: int, oldest: int) -> None:
        super().__init__(f"too old resource version: {revision} ({oldest})", hint="list again and watch from there")
        self.revision = revision
        self.oldest = oldest


class FutureRevision(Unavailable):
    """`revision` has not been yet; the store is at `current`."""

    def __init__(self, revision: int, current: int) -> None:
        super().__init__(f"Too large resource version: {revision}, current: {current}")
        self.revision = revision
        self.current = current


class Stopped(Unavailable):
    """The store was closed, or could no longer write: nothing more will happen in it."""

    def __init__(self, why: str = "it was closed") -> None:
        super().__init__(f"the object store has stopped: {why}")
