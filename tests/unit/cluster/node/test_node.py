"""The node's own object, while others write to it; and its pods, whatever fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from jubako.cluster.apiserver.access.authority import Authority
from jubako.cluster.apiserver.api import Api
from jubako.cluster.apiserver.bootstrap import SYSTEM, bootstrap
from jubako.cluster.apiserver.local import Local
from jubako.cluster.controllers.actions import Delete, Patch
from jubako.cluster.controllers.kinds import NODE, POD, Key, Kind
from jubako.cluster.node.engine import NodeEngine
from jubako.cluster.node.node import Node
from jubako.cluster.node.seen import Seen
from jubako.cluster.node.worker import Worker
from jubako.cluster.store import AsyncStore, MemoryStore
from jubako.cluster.types.document import Object, at, mapping, objects

from .scenes import ended

_NODE = Key("", "here")


class Marking(Local):
    """Somebody marks the node each time that it has been read."""

    async def get(self, kind: Kind, key: Key) -> Object:
        found = await super().get(kind, key)
        if kind == NODE:
            await self.patch(
                Patch(NODE, key, "", {"metadata": {"labels": {"seen": str(at(found, "metadata", "uid"))}}})
            )
        return found


def test_a_node_that_is_marked_while_it_tells_its_status_is_ready(tmp_path: Path) -> None:
    async def play() -> None:
        api = Api(AsyncStore(MemoryStore()), Authority(tmp_path / "pki"))
        await bootstrap(api, tmp_path / "volumes")
        client = Marking(api, SYSTEM, "kubelet")
        node = Node("here", "10.0.0.1", "1.0", client, NodeEngine(tmp_path / "root", tmp_path / "run", "default"))
        running = asyncio.create_task(node.run())
        found: Object = {}
        async with asyncio.timeout(20):
            while not objects(at(found, "status", "conditions")):
                await asyncio.sleep(0.01)
                assert not running.done(), running.exception()
                found = await Local(api, SYSTEM, "test").get(NODE, _NODE)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        ready = [each for each in objects(at(found, "status", "conditions")) if each["type"] == "Ready"]
        assert [each["status"] for each in ready] == ["True"]
        assert at(found, "metadata", "labels", "seen") == at(found, "metadata", "uid")

    asyncio.run(play())


class Failing(NodeEngine):
    """Each look at a pod fails in another way, until there is none left."""

    failures: list[Exception]

    def look(self, pod: Object) -> Seen:
        if self.failures:
            raise self.failures.pop(0)
        return Seen()


class Over(NodeEngine):
    """A pod has ended when it is looked at for the second time; its address goes with its sandbox."""

    looks, taken_down = 0, False

    def look(self, pod: Object) -> Seen:
        self.looks += 1
        if self.looks == 1:
            return Seen()
        address = "" if self.taken_down else "10.88.0.2"
        return Seen(sandbox="s", ready=not self.taken_down, address=address, attempts={"c": [ended()]})

    def take_down(self, sandbox: str) -> None:
        self.taken_down = True


class Making:
    def sandbox(self, pod: Object, sandbox: str) -> float:
        return 60.0

    def clear(self, uid: str) -> None:
        pass


async def status_of_a_pod(base: Path, engine: NodeEngine, known: Callable[[], bool]) -> Object:
    """Have a node look after a pod; returns its status when it has one that is `known`."""
    api = Api(AsyncStore(MemoryStore()), Authority(base / "pki"))
    await bootstrap(api, base / "volumes")
    client = Local(api, SYSTEM, "kubelet")
    node = Node("here", "10.0.0.1", "1.0", client, engine)
    node.making = cast(Any, Making())
    running = asyncio.create_task(node.run())
    await client.create(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "default"}}
    )
    spec: Object = {"nodeName": "here", "restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}
    metadata: Object = {"name": "p", "namespace": "default"}
    await client.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    found: Object = {}
    async with asyncio.timeout(20):
        while not (at(found, "startTime") and known()):
            await asyncio.sleep(0.01)
            found = cast(Object, at(await client.get(POD, Key("default", "p")), "status"))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return found


def test_a_pod_is_looked_at_again_whatever_has_failed(tmp_path: Path) -> None:
    engine = Failing(tmp_path / "root", tmp_path / "run", "default")
    engine.failures = [OSError(24, "Too many open files"), KeyError("a fault of ours")]
    assert asyncio.run(status_of_a_pod(tmp_path, engine, lambda: True))
    assert engine.failures == []


def test_a_pod_that_has_ended_before_it_was_looked_at_keeps_its_address(tmp_path: Path) -> None:
    engine = Over(tmp_path / "root", tmp_path / "run", "default")
    found = asyncio.run(status_of_a_pod(tmp_path, engine, lambda: engine.taken_down))
    assert (found["phase"], found["podIP"]) == ("Succeeded", "10.88.0.2")


class Nothing(NodeEngine):
    """There are no sandboxes."""

    def look(self, pod: Object) -> Seen:
        return Seen()


def test_a_late_word_of_a_deleted_pod_does_not_end_the_next_one_of_its_name(tmp_path: Path) -> None:
    async def play() -> None:
        api = Api(AsyncStore(MemoryStore()), Authority(tmp_path / "pki"))
        await bootstrap(api, tmp_path / "volumes")
        client = Local(api, SYSTEM, "kubelet")
        key, account = Key("default", "p"), {"name": "default", "namespace": "default"}
        await client.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
        spec: Object = {"nodeName": "here", "containers": [{"name": "c", "image": "i"}]}
        pod: Object = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "namespace": "default"},
            "spec": spec,
        }
        old = await client.create(pod)
        await client.delete(Delete(POD, key, str(at(old, "metadata", "uid")), grace_s=0))
        new = await client.create(pod)
        metadata = {**mapping(old["metadata"]), "deletionTimestamp": "2026-01-01T00:00:00Z"}
        engine = Nothing(tmp_path / "root", tmp_path / "run", "default")
        host = Node("here", "10.0.0.1", "1.0", client, engine)
        await Worker({**old, "metadata": metadata}, client, engine, cast(Any, Making()), host).run()
        assert at(await client.get(POD, key), "metadata", "uid") == at(new, "metadata", "uid")

    asyncio.run(play())
