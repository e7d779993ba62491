from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from tests.unit.cluster.simulation import Api, VirtualClock, is_ready, run_pod, workload

from jubako.cluster.controllers.actions import Patch
from jubako.cluster.controllers.client import Change
from jubako.cluster.controllers.every import controllers
from jubako.cluster.controllers.kinds import (
    CONFIG_MAP,
    DAEMON_SET,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    EVENT,
    NAMESPACE,
    NODE,
    PERSISTENT_VOLUME,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    REPLICA_SET,
    SERVICE,
    SERVICE_ACCOUNT,
    Kind,
    key_of,
)
from jubako.cluster.controllers.runner import Runner
from jubako.cluster.controllers.volumes import lifecycle
from jubako.cluster.objects import Object
from jubako.errors import Unavailable

KINDS = [POD, CONFIG_MAP, SERVICE_ACCOUNT, SERVICE, ENDPOINT_SLICE, DEPLOYMENT, REPLICA_SET, DAEMON_SET, EVENT]


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not what():
            await asyncio.sleep(0)


def prepared() -> tuple[Api, Runner]:
    clock = VirtualClock()
    api = Api(clock)
    api.changed = asyncio.Event()
    spec = {"finalizers": ["kubernetes"]}
    api.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}, "spec": spec})
    allocatable = {"cpu": "8", "memory": "8Gi", "pods": "110"}
    conditions = [{"type": "Ready", "status": "True", "lastHeartbeatTime": "2023-11-14T22:13:20Z"}]
    status = {"allocatable": allocatable, "conditions": conditions}
    api.add({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "spec": {}, "status": status})
    return api, Runner(api, controllers(KINDS, "PEM"), clock)


def ready(api: Api) -> int:
    return sum(is_ready(pod) for pod in api.all(POD))


def start_all(api: Api) -> None:
    for pod in api.all(POD):
        if pod["spec"].get("nodeName") and not is_ready(pod):
            run_pod(api, pod)


def service() -> dict[str, Any]:
    spec = {"selector": {"app": "web"}, "clusterIP": "10.96.0.1", "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


def test_from_a_deployment_and_a_service_to_endpoints_and_back_to_nothing() -> None:
    async def scene() -> None:
        api, runner = prepared()
        task = asyncio.create_task(runner.run())
        try:
            api.add(workload(DEPLOYMENT))
            api.add(service())
            await until(lambda: sum("nodeName" in pod["spec"] for pod in api.all(POD)) == 3)
            start_all(api)
            await until(lambda: api.find(DEPLOYMENT, "web").get("status", {}).get("availableReplicas") == 3)
            await until(lambda: sum(len(each["endpoints"]) for each in api.all(ENDPOINT_SLICE)) == 3)
            assert api.find(SERVICE_ACCOUNT, "default")
            api.remove(api.find(NAMESPACE, "default"))
            await until(lambda: all("deletionTimestamp" in pod["metadata"] for pod in api.all(POD)))
            for pod in api.all(POD):
                api.gone(pod)
            await until(lambda: not api.all(NAMESPACE))
            assert {kind for kind, _ in api.objects} == {NODE}
        finally:
            task.cancel()

    asyncio.run(scene())


class Flaky(Api):
    """Each watch ends after three changes, every other one because it is too old."""

    ended = 0

    async def watch(self, kind: Kind, since: int) -> AsyncIterator[Change]:
        count = 0
        async for change in super().watch(kind, since):
            yield change
            count += 1
            if count == 3:
                self.ended += 1
                if self.ended % 2:
                    self.compacted = change.revision
                return


def test_watches_that_end_or_are_too_old_are_taken_up_again() -> None:
    async def scene() -> None:
        api, runner = prepared()
        flaky = Flaky(api.clock)
        flaky.__dict__.update(api.__dict__)
        runner = Runner(flaky, controllers(KINDS, "PEM"), api.clock)
        task = asyncio.create_task(runner.run())
        try:
            flaky.add(workload(DEPLOYMENT, replicas=10))
            await until(lambda: sum("nodeName" in pod["spec"] for pod in flaky.all(POD)) == 10)
            start_all(flaky)
            await until(lambda: flaky.find(DEPLOYMENT, "web").get("status", {}).get("availableReplicas") == 10)
            assert flaky.ended > 2
        finally:
            task.cancel()

    asyncio.run(scene())


def test_nothing_is_decided_before_every_kind_was_listed() -> None:
    async def scene() -> None:
        api, runner = prepared()
        api.add(workload(DEPLOYMENT))
        held = asyncio.Event()
        listing = api.list

        async def late(kind: Kind) -> Any:
            if kind == POD:
                await held.wait()
            return await listing(kind)

        api.list = late  # type: ignore[method-assign]
        task = asyncio.create_task(runner.run())
        try:
            for _ in range(200):
                await asyncio.sleep(0)
            assert api.all(REPLICA_SET) == []
            held.set()
            await until(lambda: len(api.all(POD)) == 3)
        finally:
            task.cancel()

    asyncio.run(scene())


def test_an_api_server_that_does_not_answer_for_a_while_is_asked_again() -> None:
    async def scene() -> None:
        api, runner = prepared()
        api.add(workload(DEPLOYMENT))
        failures = iter([Unavailable("down")] * 3)
        api.refuse = lambda verb, document: next(failures, None)
        task = asyncio.create_task(runner.run())
        try:
            for _ in range(2000):
                api.clock.time += 0.05
                await asyncio.sleep(0)
            await until(lambda: len(api.all(POD)) == 3)
        finally:
            task.cancel()

    asyncio.run(scene())


def test_a_removal_that_is_told_before_its_own_write_is_answered_stays_one() -> None:
    """The write that takes the last finalizer off removes the object, and its answer is what that was before."""

    class Late(Api):
        async def patch(self, patch: Patch) -> Object:
            answer = self.find(patch.kind, patch.key.name)
            await super().patch(patch)
            for _ in range(20):
                await asyncio.sleep(0)
            return answer

    async def scene() -> None:
        api = Late(VirtualClock())
        api.changed = asyncio.Event()
        runner = Runner(api, [lifecycle.CLAIMS, lifecycle.VOLUMES], VirtualClock())
        task = asyncio.create_task(runner.run())
        metadata = {"name": "c", "finalizers": [lifecycle.CLAIM_PROTECTION]}
        kind = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
        claim = api.add({**kind, "metadata": metadata, "spec": {"volumeName": "v"}})
        reference = {"namespace": "default", "name": "c", "uid": claim["metadata"]["uid"]}
        volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}}
        api.add({**volume, "spec": {"claimRef": reference}, "status": {"phase": "Bound"}})
        await until(lambda: runner.manager.cache.find(PERSISTENT_VOLUME_CLAIM, key_of(claim)) is not None)
        api.remove(api.find(PERSISTENT_VOLUME_CLAIM, "c"))
        await until(lambda: api.find(PERSISTENT_VOLUME, "v")["status"]["phase"] == "Released")
        assert runner.manager.cache.find(PERSISTENT_VOLUME_CLAIM, key_of(claim)) is None
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scene())
