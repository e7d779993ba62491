"""The work queue: which keys to look at, and when.

Model:       a key is waiting for its time, ready, or in work. Added twice it is looked at once; added while in work, it
             is looked at again afterwards. Failures of a key wait 5 ms, then twice as long each time, up to 1000 s.
Concurrency: one thread, and no waiting: the runner sleeps until `next_due` or until something is added.
Spec:        k8s.io/client-go/util/workqueue: Type, DelayingInterface, ItemExponentialFailureRateLimiter.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from itertools import islice
from typing import Generic, Protocol, TypeVar

FIRST_DELAY_S = 0.005
LONGEST_DELAY_S = 1000.0
K = TypeVar("K", bound=Hashable)


class Clock(Protocol):
    """`now` is seconds since 1970; nothing in the controllers asks the machine itself."""

    def now(self) -> float: ...


class WorkQueue(Generic[K]):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: dict[K, None] = {}
        self._in_work: set[K] = set()
        self._again: set[K] = set()
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._added = 0
        self._failures: dict[K, int] = {}

    def add(self, key: K) -> None:
        """Look at a key as soon as may be."""
        if key in self._in_work:
            self._again.add(key)
        else:
            self._ready.setdefault(key)

    def add_after(self, key: K, seconds: float) -> None:
        """Look at a key after a while; of two waits of one key the shorter counts."""
        if seconds <= 0:
            return self.add(key)
        due = self._clock.now() + seconds
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            self._added += 1
            heapq.heappush(self._heap, (due, self._added, key))
        return None

    def retry(self, key: K) -> None:
        """Look at a key that failed, later each time."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        self.add_after(key, min(FIRST_DELAY_S * 2 ** min(failures - 1, 64), LONGEST_DELAY_S))

    def forget(self, key: K) -> None:
        """A key succeeded: its next failure is its first."""
        self._failures.pop(key, None)

    def take(self, place: int = 0) -> K | None:
        """A ready key, which is in work until `done`; None when there is none now.

        Nothing may rely on the order in which keys are taken; `place` lets a test take any.
        """
        self._promote()
        if not self._ready:
            return None
        key = next(islice(self._ready, place % len(self._ready), None))
        del self._ready[key]
        self._in_work.add(key)
        return key

    def done(self, key: K) -> None:
        self._in_work.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def ready(self) -> list[K]:
        self._promote()
        return list(self._ready)

    def next_due(self) -> float | None:
        """When the next waiting key is due (seconds since 1970), if one waits."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _promote(self) -> None:
        now = self._clock.now()
        while (due := self.next_due()) is not None and due <= now:
            key = heapq.heappop(self._heap)[2]
            del self._due[key]
            self.add(key)
