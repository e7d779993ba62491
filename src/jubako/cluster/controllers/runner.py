"""Runs controllers against an API server: the one asynchronous part.

Model:       one task for each kind lists it and then watches it, one works, and one tells of it. A watch that ends is
             taken up again where it ended; one that cannot be (410 Gone), or a first that fails, begins with a list.
Invariant:   nothing is decided before every kind has been listed once. A controller that fails on one object tries
             that one again later, and all others go on.
Concurrency: one event loop; work is done one at a time, so that each decision sees what the last one did.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from jubako.cluster.controllers.client import Change, ClusterClient
from jubako.cluster.controllers.controller import Controller
from jubako.cluster.controllers.kinds import Kind
from jubako.cluster.controllers.manager import Manager, Work
from jubako.cluster.controllers.performing import Performer
from jubako.cluster.controllers.queue import Clock
from jubako.cluster.controllers.telling import Teller
from jubako.errors import FailedPrecondition, JubakoError

_AGAIN_S = 0.5
_RELIST_S = 0.02
_log = logging.getLogger(__name__)


class Runner:
    def __init__(self, client: ClusterClient, controllers: Sequence[Controller], clock: Clock) -> None:
        self.manager = Manager(controllers, clock)
        self._client = client
        self._clock = clock
        self._teller = Teller(client)
        self._performer = Performer(client, self.manager, self._teller)
        self._unlisted: set[Kind] = set(self.manager.kinds())
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for kind in self.manager.kinds():
                tasks.create_task(self._follow(kind))
            tasks.create_task(self._work())
            tasks.create_task(self._teller.run())

    async def _follow(self, kind: Kind) -> None:
        """Keep the cache of a kind as the API server has it."""
        revision: int | None = None
        while True:
            try:
                if revision is None:
                    revision = await self._list(kind)
                async for change in self._client.watch(kind, revision):
                    revision = change.revision
                    self._take_in(kind, change)
            except FailedPrecondition:
                revision = None
                await asyncio.sleep(_RELIST_S)
            except JubakoError as error:
                _log.warning("watching %s: %s", kind.name, error.message)
                await asyncio.sleep(_AGAIN_S)

    async def _list(self, kind: Kind) -> int:
        listing = await self._client.list(kind)
        self.manager.replace(kind, listing.objects, listing.revision)
        self.manager.cache.reached(kind, listing.revision)
        self._unlisted.discard(kind)
        self._wake.set()
        return listing.revision

    def _take_in(self, kind: Kind, change: Change) -> None:
        match change.type:
            case "ADDED" | "MODIFIED":
                self.manager.put(change.object)
            case "DELETED":
                self.manager.remove(change.object, change.revision)
            case "BOOKMARK":
                pass
        self.manager.cache.reached(kind, change.revision)
        self._wake.set()

    async def _work(self) -> None:
        while True:
            work = self._take()
            if work is None:
                await self._rest()
                continue
            try:
                await self._performer.work(work)
            except JubakoError as error:
                # The cache could not be made new after a failure: try the key again, and it, later.
                _log.warning("%s %s: %s", work.controller.name, work.item.key, error.message)
                self.manager.finish(work, failure=error.message)
            # Watches and others come between two works.
            await asyncio.sleep(0)

    def _take(self) -> Work | None:
        while not self._unlisted:
            try:
                return self.manager.take()
            except Exception:
                _log.exception("a controller failed")
        return None

    async def _rest(self) -> None:
        """Until something is taken in, or a wait is over."""
        self._wake.clear()
        due = self.manager.queue.next_due()
        timeout = None if due is None or self._unlisted else max(due - self._clock.now(), 0.0)
        try:
            async with asyncio.timeout(timeout):
                await self._wake.wait()
        except TimeoutError:
            return
