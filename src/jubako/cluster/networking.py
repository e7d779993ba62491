"""What makes services reachable, put together: the proxy, the name server, and the cluster's own Services."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from jubako.cluster.addressing import DOMAIN, Addresses, is_reachable
from jubako.cluster.controllers import own
from jubako.cluster.controllers.client import ClusterClient
from jubako.cluster.controllers.kinds import ENDPOINT_SLICE, POD, SERVICE
from jubako.cluster.controllers.own import OwnService
from jubako.cluster.dns.feed import NameServer
from jubako.cluster.dns.known import State
from jubako.cluster.dns.state import pods, services
from jubako.cluster.node.engine import NodeEngine
from jubako.cluster.objects import Object, name, namespace, text
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
        self._watched = Watched(client, {SERVICE: _whole, ENDPOINT_SLICE: _whole, POD: _address})
        self._names = NameServer(place.run_directory, place.log)
        self._proxy = Proxy(place.table, str(addresses.network), self._listeners, self._prepare)

    def serve_at(self, port: int) -> list[OwnService]:
        """The API server listens on this port; returns the Services that the cluster is to have."""
        # A listener on loopback is led to from here, and other machines do not get there: their packets to loopback are
        # martians. What listens on all addresses, or on one that pods find, needs no such way.
        if self._host.startswith("127.") or self._host == "localhost":
            self._listeners[Target(self.machine, port)] = Target(self._host.replace("localhost", "127.0.0.1"), port)
        names = self._names.take_sockets()
        self._listeners[Target(self.machine, names)] = Target("127.0.0.1", names)
        return [
            own.api_server(self._addresses.api, self.machine, port),
            own.name_server(self._addresses.dns, self.machine, names),
        ]

    async def run(self) -> None:
        """Run until cancelled; what there is stays."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watched.run())
            group.create_task(self._proxy.run(self._watched))
            group.create_task(self._names.run(self._watched, self._state))

    async def settled(self) -> None:
        """Wait until the first rules are there, but not for ever."""
        await self._proxy.settled()

    async def withdrawn(self, address: str) -> None:
        """Wait until no new connection is led to a pod's address, but not for ever."""
        await self._proxy.withdrawn(address)

    def _state(self) -> State:
        return State(
            zone=DOMAIN,
            network=str(self._addresses.network),
            server=self._addresses.dns,
            services=services(self._watched.of(SERVICE), self._watched.of(ENDPOINT_SLICE)),
            pods=pods(self._watched.of(POD)),
        )

    def _gateway(self) -> str:
        with suppress(JubakoError):
            return self._engine.lead(str(self._addresses.network))
        # Without root there is no bridge, and no pod that could miss it.
        return self._engine.gateway()

    def _prepare(self) -> None:
        self._engine.lead(str(self._addresses.network))


def _whole(document: Object) -> Object:
    return document


def _address(pod: Object) -> Object:
    """What names need of a pod."""
    metadata: Object = {"name": name(pod), "namespace": namespace(pod)}
    return {"metadata": metadata, "status": {"podIP": text(pod, "status", "podIP")}}
