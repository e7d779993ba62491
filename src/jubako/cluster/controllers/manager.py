"""All controllers together, without input or output: a cache, a queue, and what to do next.

Model:       what a watch brings and what writes answer goes in (`replace`, `put`, `remove`), `take` gives the next key
             with its actions, `finish` says how they went. A driver (the runner, or a test) carries all this to and
             from an API server.
Concurrency: one thread, and one work at a time: what is decided next has seen what was done before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jubako.cluster.controllers.actions import Actions, RequeueAfter
from jubako.cluster.controllers.controller import Concerns, Controller
from jubako.cluster.controllers.kinds import Key, Kind, key_of, kind_of
from jubako.cluster.controllers.observed import Cache, Observed
from jubako.cluster.controllers.queue import Clock, WorkQueue
from jubako.cluster.objects import Object


@dataclass(frozen=True)
class Item:
    """What the queue holds: a controller, by its place, and a key of it."""

    controller: int
    key: Key


@dataclass(frozen=True)
class Work:
    item: Item
    controller: Controller
    actions: Actions


class Manager:
    def __init__(self, controllers: Sequence[Controller], clock: Clock) -> None:
        self.controllers = controllers
        self.clock = clock
        self.cache = Cache()
        self.queue: WorkQueue[Item] = WorkQueue(clock)
        self._failures: dict[Item, str] = {}
        self._watches: dict[Kind, list[tuple[int, Concerns]]] = {}
        for place, controller in enumerate(controllers):
            for kind, concerns in controller.watches.items():
                self._watches.setdefault(kind, []).append((place, concerns))

    def kinds(self) -> list[Kind]:
        """What has to be watched."""
        return list(self._watches)

    def replace(self, kind: Kind, documents: Iterable[Object], revision: int) -> None:
        """Take in a list of a kind: the first, or one after a gap in its watch."""
        for document in self.cache.replace(kind, documents, revision):
            self._concern(document)

    def put(self, document: Object) -> None:
        """Take in a version of an object, from a watch or from an answer."""
        before = self.cache.find(kind_of(document), key_of(document))
        if self.cache.put(document):
            for version in (before, document):
                if version is not None:
                    self._concern(version)

    def remove(self, document: Object, revision: int) -> None:
        """Take in that an object is gone."""
        if self.cache.remove(document, revision):
            self._concern(document)

    def _concern(self, document: Object) -> None:
        observed = self.observed()
        for place, concerns in self._watches.get(kind_of(document), ()):
            for key in concerns(observed, document):
                self.queue.add(Item(place, key))

    def observed(self, failure: str = "") -> Observed:
        return Observed(self.cache, self.clock.now(), failure)

    def take(self, place: int = 0) -> Work | None:
        """The next key that is due, with what is to be done for it; `finish` has to be called for it.

        Where a controller fails (it is a fault of ours), its key is tried again later, and the error raised.
        """
        item = self.queue.take(place)
        if item is None:
            return None
        controller = self.controllers[item.controller]
        try:
            actions = controller.reconcile(self.observed(self._failures.get(item, "")), item.key)
        except Exception:
            self.queue.retry(item)
            self.queue.done(item)
            raise
        return Work(item, controller, actions)

    def finish(self, work: Work, *, failure: str | None = None, stale: bool = False) -> None:
        """The actions were performed, or one was refused with this message, or came from something old."""
        self._failures.pop(work.item, None)
        if failure is not None:
            self._failures[work.item] = failure
        if failure is not None or stale:
            self.queue.retry(work.item)
        else:
            self.queue.forget(work.item)
            for action in work.actions:
                if isinstance(action, RequeueAfter):
                    self.queue.add_after(work.item, action.seconds)
        self.queue.done(work.item)
