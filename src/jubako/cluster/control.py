"""The control plane and the node of one cluster, put together within an event loop."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import jubako
from jubako.cluster.addressing import DOMAIN, Addresses
from jubako.cluster.apiserver.access.authority import Authority
from jubako.cluster.apiserver.access.tokens import Bound, Reference
from jubako.cluster.apiserver.api import Api
from jubako.cluster.apiserver.caller import MASTERS, User
from jubako.cluster.apiserver.local import Local
from jubako.cluster.apiserver.objects import reading, stored
from jubako.cluster.controllers.every import controllers
from jubako.cluster.controllers.kinds import Kind
from jubako.cluster.controllers.own import OwnService
from jubako.cluster.controllers.runner import Runner
from jubako.cluster.networking import Networking
from jubako.cluster.node.engine import NodeEngine
from jubako.cluster.node.making import Making
from jubako.cluster.node.naming import Names
from jubako.cluster.node.node import Node
from jubako.cluster.node.streams import NodeStreams
from jubako.cluster.place import Place
from jubako.cluster.types.document import Object, at, integer, text
from jubako.cluster.types.resources import group_versions
from jubako.cluster.types.served import Resource
from jubako.errors import NotFound

_TOKEN_S = 3600


class Machine:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()


class Control:
    """What runs beside the API server: the node, and what brings the cluster nearer to what is declared."""

    def __init__(self, place: Place, api: Api, authority: Authority, addresses: Addresses, host: str) -> None:
        self._place, self._api, self._authority, self._addresses = place, api, authority, addresses
        self.node_name = socket.gethostname().lower()
        engine = NodeEngine(place.root, place.run_root, place.name)
        proxy = Local(api, User(name="system:kube-proxy", groups=(MASTERS,)), "kube-proxy")
        self.network = Networking(place, addresses, proxy, engine, host)
        self._node = self._make_node(engine)
        self.streams = NodeStreams(self._node.engine, self._node.blocking, self._node.address)

    @asynccontextmanager
    async def running(self, port: int) -> AsyncIterator[None]:
        """Run while this lasts; the API server listens on `port`. A part that fails ends all: without it the rest would
        only seem to serve."""
        own = self.network.serve_at(port)
        async with asyncio.TaskGroup() as group:
            parts = (self._runner(own).run(), self.network.run(), self._node.run())
            tasks = [group.create_task(part) for part in parts]
            await self.network.settled()
            yield
            for task in tasks:
                task.cancel()

    def _runner(self, own: list[OwnService]) -> Runner:
        user = User(name="system:kube-controller-manager", groups=(MASTERS,))
        kinds = [Kind(each.kind.api_version, each.kind.name) for each in _stored()]
        bundle = self._authority.certificate_path.read_text()
        client = Local(self._api, user, "kube-controller-manager")
        return Runner(client, controllers(kinds, bundle, own), Machine())

    def _make_node(self, engine: NodeEngine) -> Node:
        user = User(name=f"system:node:{self.node_name}", groups=("system:nodes", MASTERS))
        node = Node(self.node_name, self.network.machine, jubako.__version__, Local(self._api, user, "kubelet"), engine)
        node.withdrawn = self.network.withdrawn
        node.making = Making(
            engine,
            self._place.state / "pods",
            self._place.memory,
            self._find,
            self._services,
            self._token,
            lambda: (self.network.machine, self.node_name),
            Names(self._addresses.dns, DOMAIN).of,
        )
        return node

    def _find(self, kind: str, namespace: str, name: str) -> Object | None:
        found = _FOUND[kind]
        try:
            return stored.decode(self._api.store.get(stored.key(found, namespace, name)))
        except NotFound:
            return None

    def _services(self, namespace: str) -> list[Object]:
        found = reading.listing(self._api.store, reading.Selection(resource=_FOUND["Service"], namespace=namespace))
        return [stored.decode(item) for item in found.items]

    def _token(self, pod: Object, source: Object) -> str:
        """A token of the pod's service account, bound to the pod."""
        namespace, name = text(at(pod, "metadata", "namespace")), text(at(pod, "spec", "serviceAccountName"))
        account = self._find("ServiceAccount", namespace, name)
        if account is None:
            raise NotFound("service account", f"{namespace}/{name}")
        node = self._find("Node", "", text(at(pod, "spec", "nodeName")))
        bound = Bound(
            namespace=namespace,
            serviceaccount=_reference(account),
            pod=_reference(pod),
            node=_reference(node) if node else None,
        )
        audience = text(source.get("audience"))
        lifetime_s = integer(source.get("expirationSeconds"), _TOKEN_S)
        return self._api.tokens.issue(bound, lifetime_s, [audience] if audience else ())[0]


def _stored() -> list[Resource]:
    """Return what objects there can be of: what can be made, listed and watched."""
    return [each for group in group_versions() for each in group.resources if {"list", "watch"} <= set(each.verbs)]


def _reference(document: Object) -> Reference:
    return Reference(text(at(document, "metadata", "name")), text(at(document, "metadata", "uid")))


_FOUND = {each.kind.name: each for each in _stored() if each.kind.group == "" or each.kind.name == "RuntimeClass"}
"""What the node looks up."""
