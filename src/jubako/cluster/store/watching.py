"""Who watches which prefix, and who has something to read.

Model:        a subscription has no buffer: it remembers the revision of the first event that it has not read, and
              reads from the history. A commit marks and wakes those for whom it has something; who has nothing unread
              is up to date, however long ago it last asked.
Concurrency:  under the lock of the view that owns it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from jubako.cluster.store.model import Event

Wake = Callable[[], None]


class Watcher:
    """One subscription as the store sees it: `unread` is 0, or the revision of the first event not yet read."""

    __slots__ = ("prefix", "unread", "wake")

    def __init__(self, prefix: str, unread: int, wake: Wake) -> None:
        self.prefix = prefix
        self.unread = unread
        self.wake = wake


class Watchers:
    def __init__(self) -> None:
        self._by_prefix: dict[str, set[Watcher]] = {}

    def add(self, watcher: Watcher) -> None:
        self._by_prefix.setdefault(watcher.prefix, set()).add(watcher)

    def discard(self, watcher: Watcher) -> None:
        watchers = self._by_prefix.get(watcher.prefix, set())
        watchers.discard(watcher)
        if not watchers:
            self._by_prefix.pop(watcher.prefix, None)

    def __iter__(self) -> Iterator[Watcher]:
        return (watcher for watchers in self._by_prefix.values() for watcher in watchers)

    def mark(self, events: Sequence[Event]) -> list[Wake]:
        """Note for each watcher the first of these events that concerns it; return how to wake those who had none."""
        wakes: list[Wake] = []
        for prefix, watchers in self._by_prefix.items():
            first = next((event.revision for event in events if event.key.startswith(prefix)), 0)
            if first:
                for watcher in watchers:
                    if not watcher.unread:
                        watcher.unread = first
                        wakes.append(watcher.wake)
        return wakes
