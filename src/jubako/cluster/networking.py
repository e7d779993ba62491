"""What makes a cluster's services reachable, put together: the proxy, and the Services of the cluster itself."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from jubako.cluster.addressing import Addresses, is_reachable
from jubako.cluster.controllers import own
from jubako.cluster.controllers.client import ClusterClient
from jubako.cluster.controllers.kinds import ENDPOINT_SLICE, SERVICE
from jubako.cluster.controllers.own import OwnService
from jubako.cluster.node.engine import NodeEngine
from jubako.cluster.place import Place
from jubako.cluster.proxy.ports import Target
from jubako.cluster.proxy.proxy import Proxy
from jubako.cluster.proxy.watching import Watched
from jubako.errors import JubakoError


class Networking:
    """`host` is where the API server listens. `machine` is the address by which pods find this machine."""

    def __init__(
        self, place: Place, addresses: Addresses, client: ClusterClient, engine: NodeEngine, host: str
    ) -> None:
        self._addresses, self._engine, self._host = addresses, engine, host
        self.machine = host if is_reachable(host) else self._gateway()
        self._listeners: dict[Target, Target] = {}
        self._watched = Watched(client, {SERVICE: lambda each: each, ENDPOINT_SLICE: lambda each: each})
        self._proxy = Proxy(place.table, str(addresses.network), self._listeners, self._prepare)

    def serve_at(self, port: int) -> list[OwnService]:
        """The API server listens on this port; returns the Services that the cluster is to have."""
        # A listener on loopback is led to from here, and other machines do not get there: their packets to loopback are
        # martians. What listens on all addresses, or on one that pods find, needs no such way.
        if self._host.startswith("127.") or self._host == "localhost":
            self._listeners[Target(self.machine, port)] = Target(self._host.replace("localhost", "127.0.0.1"), port)
        return [own.api_server(self._addresses.api, self.machine, port)]

    async def run(self) -> None:
        """Run until cancelled; what there is stays."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watched.run())
            group.create_task(self._proxy.run(self._watched))

    async def settled(self) -> None:
        """Wait until the first rules are there, but not for ever."""
        await self._proxy.settled()

    async def withdrawn(self, address: str) -> None:
        """Wait until no new connection is led to a pod's address, but not for ever."""
        await self._proxy.withdrawn(address)

    def _gateway(self) -> str:
        with suppress(JubakoError):
            return self._engine.lead(str(self._addresses.network))
        # Without root there is no bridge, and no pod that could miss it.
        return self._engine.gateway()

    def _prepare(self) -> None:
        self._engine.lead(str(self._addresses.network))
