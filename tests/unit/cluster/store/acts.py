"""Short words for what the tests of the stores do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jubako.cluster.store import Create, Delete, Event, ObjectStore, Page, Update, Write

TIMEOUT_S = 30


def do(store: ObjectStore, *writes: Write) -> Sequence[Event]:
    return store.submit(writes).result(TIMEOUT_S)


def create(store: ObjectStore, key: str, value: bytes = b"{}") -> Event:
    return do(store, Create(key, value))[0]


def update(store: ObjectStore, key: str, value: bytes = b"{1}") -> Event:
    """Update whatever revision there is."""
    return do(store, Update(key, value, store.get(key).revision))[0]


def delete(store: ObjectStore, key: str) -> Event:
    return do(store, Delete(key, store.get(key).revision))[0]


def keys(page: Page) -> list[str]:
    return [item.key for item in page.items]


class Log:
    """A watch from its beginning: everything it was told so far."""

    def __init__(self, store: ObjectStore, prefix: str, after: int, limit: int = 100) -> None:
        self.wakes = 0
        self.revision = after
        self._limit = limit
        self.subscription = store.subscribe(prefix, after, self._wake)

    def _wake(self) -> None:
        self.wakes += 1

    def take(self) -> list[Event]:
        events, self.revision = self.subscription.take(self._limit)
        return list(events)

    def told(self) -> list[tuple[Any, ...]]:
        return [(event.kind.value, event.key, event.revision) for event in self.take()]
