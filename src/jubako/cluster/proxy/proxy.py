"""Watches services and endpoints, and has the kernel follow.

Concurrency:  tasks of one event loop; nft, which blocks for some milliseconds, is in a thread. What changes while it
              runs is in the next ruleset.
"""

from __future__ import annotations

import asyncio
import logging

from jubako.cluster.controllers.client import ClusterClient
from jubako.cluster.controllers.kinds import ENDPOINT_SLICE, SERVICE, Key, Kind, key_of
from jubako.cluster.proxy.rules import Port, ports, ruleset
from jubako.cluster.types.document import Object
from jubako.errors import FailedPrecondition, JubakoError
from jubako.network.firewall import run_nft

_SETTLE_S, _AGAIN_S = 0.02, 1.0
_log = logging.getLogger(__name__)


def table_of(cluster: str) -> str:
    """Return the name of a cluster's table; names of clusters are DNS labels."""
    return "jubako_cluster_" + cluster.replace("-", "_")


def remove(cluster: str) -> None:
    """Take the rules of a cluster down, if there are any."""
    run_nft(f"add table ip {table_of(cluster)}\ndelete table ip {table_of(cluster)}\n")


class Proxy:
    def __init__(self, cluster: str, client: ClusterClient) -> None:
        self._table, self._client = table_of(cluster), client
        self._known: dict[Kind, dict[Key, Object]] = {}
        self._changed = asyncio.Event()
        self._done: list[Port] | None = None

    async def run(self) -> None:
        """Run until cancelled; the rules stay."""
        async with asyncio.TaskGroup() as group:
            for kind in (SERVICE, ENDPOINT_SLICE):
                group.create_task(self._follow(kind))
            group.create_task(self._apply())

    async def _follow(self, kind: Kind) -> None:
        while True:
            try:
                listing = await self._client.list(kind)
                self._known[kind] = {key_of(each): each for each in listing.objects}
                self._changed.set()
                async for change in self._client.watch(kind, listing.revision):
                    if change.type in ("ADDED", "MODIFIED"):
                        self._known[kind][key_of(change.object)] = change.object
                    elif change.type == "DELETED":
                        self._known[kind].pop(key_of(change.object), None)
                    self._changed.set()
            except FailedPrecondition:
                continue
            except JubakoError as error:
                _log.warning("watching %s: %s", kind.name, error.message)
                await asyncio.sleep(_AGAIN_S)

    async def _apply(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(_SETTLE_S)
            self._changed.clear()
            if len(self._known) < 2:
                continue
            wanted = ports(self._known[SERVICE].values(), self._known[ENDPOINT_SLICE].values())
            if wanted == self._done:
                continue
            try:
                await asyncio.to_thread(run_nft, ruleset(self._table, wanted))
                self._done = wanted
            except JubakoError as error:
                _log.warning("%s", error.message)
                await asyncio.sleep(_AGAIN_S)
                self._changed.set()
