"""Objects of some kinds as they are now, for those who follow them.

Model:        of each object only what `keep` makes of it is held; a change that leaves that as it was is none.
Concurrency:  tasks of one event loop. A listener's event is set by each change; who waits for it takes what is there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping

from jubako.cluster.controllers.client import Change, ClusterClient
from jubako.cluster.controllers.kinds import Key, Kind, key_of
from jubako.cluster.objects import Object
from jubako.errors import FailedPrecondition, JubakoError

_AGAIN_S = 1.0
_log = logging.getLogger(__name__)


class Watched:
    def __init__(self, client: ClusterClient, keep: Mapping[Kind, Callable[[Object], Object]]) -> None:
        self._client, self._keep = client, keep
        self._known: dict[Kind, dict[Key, Object]] = {}
        self._listeners: list[asyncio.Event] = []

    def of(self, kind: Kind) -> Collection[Object]:
        return self._known[kind].values()

    @property
    def is_complete(self) -> bool:
        """Whether every kind has been listed."""
        return self._known.keys() == self._keep.keys()

    def listen(self) -> asyncio.Event:
        """Return an event that is set whenever something has changed, and once for the beginning."""
        event = asyncio.Event()
        event.set()
        self._listeners.append(event)
        return event

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as group:
            for kind in self._keep:
                group.create_task(self._follow(kind))

    async def _follow(self, kind: Kind) -> None:
        while True:
            try:
                listing = await self._client.list(kind)
                self._known[kind] = {key_of(each): self._keep[kind](each) for each in listing.objects}
                self._tell()
                async for change in self._client.watch(kind, listing.revision):
                    self._take(kind, change)
            except FailedPrecondition:
                continue  # what came meanwhile is in the next list
            except JubakoError as error:
                _log.warning("watching %s: %s", kind.name, error.message)
                await asyncio.sleep(_AGAIN_S)

    def _take(self, kind: Kind, change: Change) -> None:
        if change.type == "BOOKMARK":
            return
        key, known = key_of(change.object), self._known[kind]
        now = None if change.type == "DELETED" else self._keep[kind](change.object)
        if now == known.get(key):
            return
        if now is None:
            del known[key]
        else:
            known[key] = now
        self._tell()

    def _tell(self) -> None:
        for event in self._listeners:
            event.set()
