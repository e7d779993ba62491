"""The node: its object, its lease, and a worker for each pod that is bound to it.

Concurrency:  tasks of one event loop; threads for what blocks. A thread of its own listens to the engine's events, so
              that a container that ends is noticed at once.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from jubako.cluster.controllers.actions import EmitEvent, Patch
from jubako.cluster.controllers.client import ClusterClient, Listing
from jubako.cluster.controllers.following import follow
from jubako.cluster.controllers.kinds import CONFIG_MAP, LEASE, NODE, POD, SECRET, Key
from jubako.cluster.controllers.telling import Teller
from jubako.cluster.node import commands, facts
from jubako.cluster.node.engine import NodeEngine
from jubako.cluster.node.making import Making
from jubako.cluster.node.reclaiming import reclaim
from jubako.cluster.node.sources import Sources
from jubako.cluster.node.translate import UID_LABEL
from jubako.cluster.node.worker import Worker
from jubako.cluster.types import times
from jubako.cluster.types.document import Object, at, mapping, objects, text
from jubako.errors import AlreadyExists, JubakoError, NotFound

T = TypeVar("T")
_THREADS = 8
_LEASE_S, _RENEW_S, _STATUS_S = 40, 10.0, 300.0
# What only a worker does, which then looks by itself.
_OWN_DOING = ("create", "start")
_LEASES = "kube-node-lease"


async def _at_once(address: str) -> None:
    """No connection is led to any pod."""


class Node:
    """One machine as a node of the cluster. `version` is Jubako's."""

    def __init__(self, name: str, address: str, version: str, client: ClusterClient, engine: NodeEngine) -> None:
        self.name, self.address = name, address
        self._version, self._client, self.engine = version, client, engine
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="node")
        self._teller = Teller(client)
        self._workers: dict[str, tuple[Worker, asyncio.Task[None]]] = {}
        self.making: Making | None = None
        self.withdrawn = _at_once

    async def run(self) -> None:
        """Serve as a node until cancelled; what runs goes on running."""
        await self._register()
        stop = threading.Event()
        listener = threading.Thread(target=self._listen, args=(asyncio.get_running_loop(), stop), daemon=True)
        listener.start()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._heartbeat())
                group.create_task(self._watch_pods())
                group.create_task(self._teller.run())
                group.create_task(reclaim(self._client, self.blocking))
                for kind in (CONFIG_MAP, SECRET):
                    group.create_task(Sources(kind, self._client, self._living).run())
        finally:
            stop.set()
            for _, task in self._workers.values():
                task.cancel()
            await asyncio.gather(*(task for _, task in self._workers.values()), return_exceptions=True)
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def blocking(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def execute(self, attempt: str, words: list[str], timeout_s: float) -> tuple[int, str]:
        return await commands.execute(self.engine, self.blocking, attempt, words, timeout_s)

    def tell(self, event: EmitEvent) -> None:
        self._teller.note("kubelet", event, time.time())

    async def _register(self) -> None:
        """Have a Node, and say that it is Ready."""
        made: Object = {"kind": NODE.name, "apiVersion": NODE.api_version}
        made["metadata"] = {"name": self.name, "labels": dict(facts.labels(self.name))}
        with suppress(AlreadyExists):
            await self._client.create(made)
        await self._tell_status()

    async def _tell_status(self) -> None:
        """Patched, for whoever marks the node meanwhile makes another version of it."""
        node = await self._client.get(NODE, Key("", self.name))
        before = objects(at(node, "status", "conditions"))
        found = facts.status(self.name, self.address, self._version, datetime.now(UTC), before)
        await self._client.patch(Patch(NODE, Key("", self.name), "", {"status": found}, subresource="status"))

    async def _heartbeat(self) -> None:
        told = time.monotonic()
        while True:
            with suppress(JubakoError):
                await self._renew()
                if time.monotonic() - told > _STATUS_S:
                    await self._tell_status()
                    told = time.monotonic()
            await asyncio.sleep(_RENEW_S)

    async def _renew(self) -> None:
        renewed = times.render_micro(datetime.now(UTC))
        spec: Object = {"holderIdentity": self.name, "leaseDurationSeconds": _LEASE_S, "renewTime": renewed}
        metadata: Object = {"name": self.name, "namespace": _LEASES}
        lease: Object = {"kind": LEASE.name, "apiVersion": LEASE.api_version, "metadata": metadata, "spec": spec}
        try:
            await self._client.patch(Patch(LEASE, Key(_LEASES, self.name), "", {"spec": spec}))
        except NotFound:
            await self._client.create(lease)

    async def _watch_pods(self) -> None:
        async for found in follow(self._client, POD):
            if isinstance(found, Listing):
                await self._begin(found.objects)
            elif found.type == "DELETED":
                self._forget(found.object)
            else:
                self._take(found.object)

    def _living(self) -> list[Worker]:
        return [worker for worker, _ in self._workers.values()]

    async def _begin(self, pods: list[Object]) -> None:
        """Take what is declared, and take down what belongs to pods that are no more."""
        for pod in pods:
            self._take(pod)
        declared = {text(at(pod, "metadata", "uid")) for pod in pods}
        for uid, sandbox in (await self.blocking(self.engine.sandboxes)).items():
            if uid not in declared:
                await self.blocking(partial(self.engine.remove, sandbox))

    def _take(self, pod: Object) -> None:
        if at(pod, "spec", "nodeName") != self.name:
            return
        uid = text(at(pod, "metadata", "uid"))
        known = self._workers.get(uid)
        if known is not None and not known[1].done():
            known[0].wake(pod)
        else:
            assert self.making is not None
            worker = Worker(pod, self._client, self.engine, self.making, self)
            task = asyncio.create_task(worker.run())
            self._workers[uid] = (worker, task)
            task.add_done_callback(lambda _: self._workers.pop(uid, None))

    def _forget(self, pod: Object) -> None:
        """A pod that was deleted without us: its end is ours to bring about."""
        uid = text(at(pod, "metadata", "uid"))
        if known := self._workers.get(uid):
            marked = {**mapping(pod["metadata"]), "deletionTimestamp": times.render(datetime.now(UTC))}
            known[0].wake({**pod, "metadata": {**marked, "deletionGracePeriodSeconds": 0}})

    def _listen(self, loop: asyncio.AbstractEventLoop, stop: threading.Event) -> None:
        """Wake the worker of each container that ends, or is another in any way."""
        for event in self.engine.engine.events():
            if stop.is_set():
                return
            if event.action not in _OWN_DOING and (uid := event.attributes.get(UID_LABEL)):
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(self._wake, uid)

    def _wake(self, uid: str) -> None:
        if known := self._workers.get(uid):
            known[0].wake()
