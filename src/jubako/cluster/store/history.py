"""The latest events, as far back as they are kept.

Invariant:    every event with a revision above `compacted` is there, in order. Watchers read from here at their own
              pace and have no buffers of their own, so what is kept is also the bound of how far one may fall behind.
Concurrency:  none of its own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from operator import attrgetter

import msgspec

from jubako.cluster.store.model import Event, Item

_MARK_EVERY_S = 1.0
_SLACK_S = 10.0  # an idle store forgets rarely, and much at once
_EVENT_BYTES = 250  # of an event and its item, besides the value
_revision = attrgetter("revision")


class Retention(msgspec.Struct, frozen=True):
    """How much history is kept: nothing older than `age_s`; beyond `events` or `bytes` nothing older than `grace_s`."""

    age_s: float = 300
    events: int = 50_000
    bytes: int = 32 << 20
    grace_s: float = 10


class History:
    def __init__(self, compacted: int, events: Sequence[Event] = (), now: float = 0) -> None:
        self.compacted = compacted
        self._events: list[Event] = []
        self._bytes = 0
        self._marks: deque[tuple[float, int]] = deque()
        self.append(events, now)

    def append(self, events: Sequence[Event], now: float) -> None:
        """Add what has just happened."""
        if not events:
            return
        self._events += events
        self._bytes += sum(map(_size, events))
        if self._marks and now - self._marks[-1][0] < _MARK_EVERY_S:
            now = self._marks.pop()[0]
        self._marks.append((now, events[-1].revision))

    def after(self, revision: int, prefix: str, limit: int) -> list[Event]:
        """Return the first `limit` events above `revision` of keys with `prefix`."""
        found: list[Event] = []
        for index in range(self._index(revision), len(self._events)):
            event = self._events[index]
            if event.key.startswith(prefix):
                found.append(event)
                if len(found) == limit:
                    break
        return found

    def through(self, revision: int) -> Sequence[Event]:
        """Return the events up to `revision`."""
        return self._events[: self._index(revision)]

    def undo(self, revision: int, prefix: str) -> dict[str, Item | None]:
        """Return what the keys with `prefix` that have changed since held at `revision`."""
        past: dict[str, Item | None] = {}
        for index in range(self._index(revision), len(self._events)):
            event = self._events[index]
            if event.key.startswith(prefix):
                past.setdefault(event.key, event.previous)
        return past

    def excess(self, keep: Retention, now: float) -> int:
        """Return the revision through which events may go; `compacted` where none may."""
        too_many = max(self._over_number(keep.events), self._over_bytes(keep.bytes))
        return max(self.compacted, self._at(now - keep.age_s), min(too_many, self._at(now - keep.grace_s)))

    def next_excess(self, keep: Retention) -> float | None:
        """When to ask for `excess`, if nothing happens until then."""
        if not self._marks:
            return None
        too_many = len(self._events) > keep.events or self._bytes > keep.bytes
        return self._marks[0][0] + (min(keep.grace_s, keep.age_s) if too_many else keep.age_s) + _SLACK_S

    def cut(self, revision: int, count: int) -> int:
        """Return `revision`, or less, so that at most `count` events are at or below it."""
        return revision if self._index(revision) <= count else self._events[count - 1].revision

    def drop(self, revision: int) -> None:
        """Forget everything through `revision`."""
        stop = self._index(revision)
        self._bytes -= sum(map(_size, self._events[:stop]))
        del self._events[:stop]
        self.compacted = max(self.compacted, revision)
        while self._marks and self._marks[0][1] <= revision:
            self._marks.popleft()

    def _index(self, revision: int) -> int:
        return bisect_right(self._events, revision, key=_revision)

    def _at(self, moment: float) -> int:
        """The highest revision that was there at `moment`."""
        found = 0
        for time, revision in self._marks:
            if time > moment:
                break
            found = revision
        return found

    def _over_number(self, number: int) -> int:
        return self._events[-number - 1].revision if len(self._events) > number else 0

    def _over_bytes(self, bytes: int) -> int:
        over, revision = self._bytes - bytes, 0
        for event in self._events:
            if over <= 0:
                break
            over -= _size(event)
            revision = event.revision
        return revision


def _size(event: Event) -> int:
    return _EVENT_BYTES + (len(event.current.value) if event.current else 0)
