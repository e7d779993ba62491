"""The node's own object, while others write to it; and its pods, whatever fails."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

from jubako.cluster.apiserver.access.authority import Authority
from jubako.cluster.apiserver.api import Api
from jubako.cluster.apiserver.bootstrap import SYSTEM, bootstrap
from jubako.cluster.apiserver.local import Local
from jubako.cluster.controllers.actions import Patch
from jubako.cluster.controllers.kinds import NODE, POD, Key, Kind
from jubako.cluster.node.engine import NodeEngine
from jubako.cluster.node.node import Node
from jubako.cluster.node.seen import Seen
from jubako.cluster.store import AsyncStore, MemoryStore
from jubako.cluster.types.document import Object, at, objects

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


def test_a_pod_is_looked_at_again_whatever_has_failed(tmp_path: Path) -> None:
    async def play() -> None:
        api = Api(AsyncStore(MemoryStore()), Authority(tmp_path / "pki"))
        await bootstrap(api, tmp_path / "volumes")
        client = Local(api, SYSTEM, "kubelet")
        engine = Failing(tmp_path / "root", tmp_path / "run", "default")
        engine.failures = [OSError(24, "Too many open files"), KeyError("a fault of ours")]
        node = Node("here", "10.0.0.1", "1.0", client, engine)
        node.making = cast(Any, object())
        running = asyncio.create_task(node.run())
        await client.create(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "default"}}
        )
        spec: Object = {"nodeName": "here", "containers": [{"name": "c", "image": "i"}]}
        metadata: Object = {"name": "p", "namespace": "default"}
        await client.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        async with asyncio.timeout(20):
            while not at(await client.get(POD, Key("default", "p")), "status", "startTime"):
                await asyncio.sleep(0.01)
        assert engine.failures == []
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(play())
