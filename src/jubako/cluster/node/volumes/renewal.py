"""When a pod's volumes are to be brought up to date: what they are made of is another, or a token's time has come."""

from __future__ import annotations

import time
from collections.abc import Callable

from jubako.cluster.node.volumes.references import POD, TOKEN, Source, references
from jubako.cluster.types.document import Object

_LONGEST_S = 60.0


class Renewal:
    """What has changed since a pod's volumes were written. At first nobody knows: all of it may have."""

    def __init__(self, pod: Object, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._made_of = references(pod)
        self._changed: set[Source] | None = None
        self._due = 0.0

    def is_made_of(self, source: Source) -> bool:
        return source in self._made_of

    def note(self, source: Source | None) -> None:
        """This is another now; None: any may be."""
        if source is None:
            self._changed = None
        elif self._changed is not None:
            self._changed.add(source)

    def note_pod(self) -> None:
        """What files tell of the pod itself is another."""
        self.note(POD)

    def is_due(self) -> bool:
        if self.left_s() <= 0:
            self.note(TOKEN)
        return self._changed != set()

    def take(self) -> set[Source] | None:
        """Return what has changed, None for all, to whoever writes it now."""
        changed, self._changed, self._due = self._changed, set(), self._clock() + _LONGEST_S
        return changed

    def written(self, left_s: float) -> None:
        """It is written, and stays true for this long."""
        self._due = self._clock() + left_s

    def left_s(self) -> float:
        return max(self._due - self._clock(), 0.0)
