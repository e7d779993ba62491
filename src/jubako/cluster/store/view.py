"""What readers and watchers of a store see: the table, the history, who watches, and the revision they are at.

Invariant:    all four change together, in `_apply`, and only by events that are durable.
Concurrency:  any thread reads; one at a time writes. One lock, held for as long as it takes to copy a list.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

from jubako.cluster.store.ephemeral import Ephemeral, Rules
from jubako.cluster.store.history import History
from jubako.cluster.store.model import Event, FutureRevision, Gone, Item, Page, Stopped
from jubako.cluster.store.table import Table
from jubako.cluster.store.watching import Wake, Watcher, Watchers
from jubako.errors import NotFound

Clock = Callable[[], float]
"""Seconds from some moment on; never going back."""


class View:
    def __init__(self, items: Iterable[Item], history: History, revision: int, ephemeral: Rules) -> None:
        self._lock = threading.Lock()
        self._table = Table(items)
        self._history = history
        self._revision = self._opened = revision
        self._ephemeral = Ephemeral(ephemeral)
        self._watchers = Watchers()
        self._stopped: Stopped | None = None

    @property
    def revision(self) -> int:
        return self._revision

    def get(self, key: str) -> Item:
        with self._lock:
            item = self._table.get(key)
        if item is None:
            raise NotFound("key", key)
        return item

    def list(self, prefix: str, *, limit: int = 0, after: str = "", revision: int | None = None) -> Page:
        with self._lock:
            at = self._revision if revision is None else revision
            self._require(prefix, at)
            past = self._history.undo(at, prefix)
            items, remaining = self._table.page(prefix, after, limit, past)
        return Page(items, at, remaining)

    def subscribe(self, prefix: str, after_revision: int, wake: Wake) -> Reader:
        with self._lock:
            if self._stopped:
                raise self._stopped
            self._require(prefix, after_revision)
            first = self._history.after(after_revision, prefix, 1)
            watcher = Watcher(prefix, first[0].revision if first else 0, wake)
            self._watchers.add(watcher)
        return Reader(self, watcher)

    def take(self, watcher: Watcher, limit: int) -> tuple[Sequence[Event], int]:
        """Read on for one watcher (Subscription.take)."""
        with self._lock:
            if self._stopped:
                raise self._stopped
            if not watcher.unread:
                return [], self._revision
            if watcher.unread <= self._history.compacted:
                raise Gone(watcher.unread - 1, self._history.compacted)
            events = self._history.after(watcher.unread - 1, watcher.prefix, limit + 1)
            watcher.unread = events.pop().revision if len(events) > limit else 0
            return events, watcher.unread - 1 if watcher.unread else self._revision

    def leave(self, watcher: Watcher) -> None:
        with self._lock:
            self._watchers.discard(watcher)

    def _require(self, prefix: str, revision: int) -> None:
        """Refuse a revision that has not been, or after which not everything under `prefix` is known.

        Nothing is known of what was ephemeral before the store was opened.
        """
        if revision > self._revision:
            raise FutureRevision(revision, self._revision)
        oldest = self._history.compacted
        if self._ephemeral.meets(prefix):
            oldest = max(oldest, self._opened)
        if revision < oldest:
            raise Gone(revision, oldest)

    def _apply(self, events: Sequence[Event], now: float) -> None:
        """Show what has become durable, and wake who watches it."""
        with self._lock:
            for event in events:
                if event.current:
                    self._table.put(event.current)
                else:
                    self._table.remove(event.key)
            self._history.append(events, now)
            self._ephemeral.note(events, now)
            self._revision = events[-1].revision
            wakes = self._watchers.mark(events)
        for wake in wakes:
            wake()

    def _forget(self, revision: int) -> None:
        with self._lock:
            self._history.drop(revision)

    def _stop(self, why: Stopped) -> None:
        """End all watches; what was read before stays readable."""
        with self._lock:
            self._stopped = self._stopped or why
            wakes = [watcher.wake for watcher in self._watchers]
        for wake in wakes:
            wake()


class Reader:
    """The handle that a watcher holds (seam.Subscription)."""

    def __init__(self, view: View, watcher: Watcher) -> None:
        self._view = view
        self._watcher = watcher

    def take(self, limit: int) -> tuple[Sequence[Event], int]:
        return self._view.take(self._watcher, limit)

    def close(self) -> None:
        self._view.leave(self._watcher)
