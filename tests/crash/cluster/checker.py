"""Whether what clients saw of a store can have been one ordered history, whatever happened to its process.

What clients saw are acts (a request, when it began and ended, and its outcome, which nobody knows where the process was
killed) and stretches of watches (a list, and all events that were told after it). `check` returns what is wrong.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from jubako.cluster.store import Event, Item


@dataclass
class Act:
    """`began` and `ended` are moments on one clock; `outcome` is "ok", "unknown" or the name of an error."""

    kind: str
    key: str
    value: bytes
    expected: int
    began: int
    ended: int = 0
    outcome: str = "unknown"
    event: Event | None = None
    item: Item | None = None
    revision: int = 0


@dataclass
class Stretch:
    """A list of `prefix` at `start`, and everything told from there until it is complete up to `end`."""

    prefix: str
    start: int
    items: Sequence[Item]
    end: int
    events: list[Event] = field(default_factory=list)


@dataclass
class Seen:
    acts: list[Act]
    stretches: list[Stretch]
    final: Sequence[Item]
    ephemeral: str

    def durable(self, key: str) -> bool:
        return not key.startswith(self.ephemeral)

    def perhaps_deleted(self, item: Item | None, before: int) -> bool:
        """Whether nobody knows if the item, or what came after it, was deleted before a revision."""
        return item is not None and any(
            act.kind == "delete"
            and act.outcome == "unknown"
            and act.key == item.key
            and item.revision <= act.expected < before
            for act in self.acts
        )


class Truth:
    """All events that anybody saw, by revision, and by key."""

    def __init__(self) -> None:
        self.by_revision: dict[int, Event] = {}
        self._revisions: list[int] = []
        self._by_key: dict[str, list[Event]] = {}

    def add(self, event: Event) -> Iterator[str]:
        known = self.by_revision.setdefault(event.revision, event)
        if known != event:
            yield f"two events of one revision: {known} and {event}"

    def settle(self) -> None:
        self._revisions = sorted(self.by_revision)
        by_key: dict[str, list[Event]] = defaultdict(list)
        for revision in self._revisions:
            by_key[self.by_revision[revision].key].append(self.by_revision[revision])
        self._by_key = by_key

    def keys(self) -> Mapping[str, list[Event]]:
        return self._by_key

    def between(self, start: int, end: int, prefix: str) -> list[Event]:
        """Events with `prefix` after `start` through `end`."""
        revisions = self._revisions[bisect_right(self._revisions, start) : bisect_right(self._revisions, end)]
        return [event for event in map(self.by_revision.__getitem__, revisions) if event.key.startswith(prefix)]

    def last(self, key: str, revision: int) -> Event | None:
        """What last happened to the key up to a revision."""
        events = self._by_key.get(key, [])
        index = bisect_right(events, revision, key=lambda event: event.revision)
        return events[index - 1] if index else None


def check(seen: Seen) -> list[str]:
    truth = Truth()
    wrong = [text for event in _events(seen) for text in truth.add(event)]
    truth.settle()
    wrong += _answers(seen, truth)
    wrong += _time(seen.acts)
    wrong += _chains(seen, truth)
    wrong += _reads(seen, truth)
    wrong += _watches(seen, truth)
    wrong += _end(seen, truth)
    return wrong


def _events(seen: Seen) -> Iterator[Event]:
    for act in seen.acts:
        if act.event:
            yield act.event
    for stretch in seen.stretches:
        yield from stretch.events


def _answers(seen: Seen, truth: Truth) -> Iterator[str]:
    """An acknowledged write did what was asked; a refused one did nothing; nothing comes from nowhere."""
    refused = {act.value for act in seen.acts if act.value and act.outcome not in ("ok", "unknown")}
    asked = {act.value for act in seen.acts if act.value}
    for act in seen.acts:
        if act.event:
            current, previous = act.event.current, act.event.previous
            if act.event.key != act.key or (current.value if current else b"") != act.value:
                yield f"asked for {act}, done was {act.event}"
            if act.expected != (previous.revision if previous else 0):
                yield f"{act} replaced {previous}"
    held = [event.current for event in truth.by_revision.values()]
    for item in filter(None, [*held, *(act.item for act in seen.acts), *seen.final]):
        if item.value in refused:
            yield f"a refused write has happened: {item}"
        if item.value not in asked:
            yield f"nobody asked for {item}"


def _time(acts: Sequence[Act]) -> Iterator[str]:
    """What began after something had ended sees it, and has a greater revision if it is a write."""
    moments = [(act.began, 1, act) for act in acts if act.revision] + [
        (act.ended, 0, act) for act in acts if act.revision
    ]
    at_begin: dict[int, int] = {}
    latest = 0
    for _, begins, act in sorted(moments, key=lambda moment: moment[:2]):
        if begins:
            at_begin[id(act)] = latest
        else:
            latest = max(latest, act.revision)
    for act in acts:
        before = at_begin.get(id(act), 0)
        if act.revision and (act.revision < before or (act.event and act.revision == before)):
            yield f"revision {before} was seen before {act} began"


def _chains(seen: Seen, truth: Truth) -> Iterator[str]:
    """Each event of a key goes on from the one before it, so that no acknowledged write is lost between them."""
    for key, events in truth.keys().items():
        for before, event in pairwise(events):
            if seen.durable(key) and not _follows(event.previous, before, event.revision, seen):
                yield f"{event} does not follow {before}"


def _follows(item: Item | None, event: Event, until: int, seen: Seen) -> bool:
    """Whether `item` may be what a key held at `until`, after the last event that anybody saw of it before."""
    if item == event.current:
        return True
    if item is None:
        return seen.perhaps_deleted(event.current, until)
    return event.revision < item.revision <= until


def _reads(seen: Seen, truth: Truth) -> Iterator[str]:
    """Whoever reads a key sees what had happened when the store was at the revision that it told, or later."""
    for act in seen.acts:
        if act.kind == "get" and act.outcome == "ok" and seen.durable(act.key):
            last = truth.last(act.key, act.revision)
            if last and not _follows(act.item, last, act.revision, seen) and not _later(act, truth, seen):
                yield f"{act} saw neither {last} nor what came after"


def _later(act: Act, truth: Truth, seen: Seen) -> bool:
    """Whether the item that was read, or its absence, is of after the revision that was told."""
    if act.item:
        return act.item.revision > act.revision
    last = truth.last(act.key, act.revision)
    later = truth.keys()[act.key]
    return any(event.revision > act.revision and event.current is None for event in later) or (
        last is not None and seen.perhaps_deleted(last.current, sys.maxsize)
    )


def _watches(seen: Seen, truth: Truth) -> Iterator[str]:
    for stretch in seen.stretches:
        revisions = [event.revision for event in stretch.events]
        if revisions != sorted(set(revisions)):
            yield f"a watch of {stretch.prefix} was not in order: {revisions}"
        expected = truth.between(stretch.start, stretch.end, stretch.prefix)
        if [event.revision for event in expected] != revisions:
            differing = sorted({event.revision for event in expected} ^ set(revisions))
            yield f"a watch of {stretch.prefix} from {stretch.start} to {stretch.end} lacks or invents {differing}"
        yield from _listed(stretch.items, stretch.start, stretch.prefix, seen, truth)


def _listed(items: Sequence[Item], at: int, prefix: str, seen: Seen, truth: Truth) -> Iterator[str]:
    """A list is the state at its revision."""
    held = {item.key: item for item in items}
    for key in truth.keys():
        if key.startswith(prefix) and seen.durable(key):
            last = truth.last(key, at)
            if last and not _follows(held.get(key), last, at, seen):
                yield f"a list at {at} has {held.get(key)} where {last} had happened"
    for item in items:
        if item.revision > at:
            yield f"a list at {at} has {item}"


def _end(seen: Seen, truth: Truth) -> Iterator[str]:
    """What is there in the end is what all that was acknowledged left."""
    yield from _listed(seen.final, sys.maxsize, "", seen, truth)
    for act in seen.acts:
        known = truth.by_revision.get(act.item.revision) if act.item else None
        if known and known.current != act.item:
            yield f"{act} was told what never was: {known}"
