"""Evictions and the budgets that allow them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.cluster.apiserver.conftest import Cluster, Play, named, pod

from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.apiserver.objects.deleting import DeleteOptions
from jubako.cluster.types.document import Object, at, child, mapping, objects

PODS, BUDGETS = "/api/v1/namespaces/default/pods", "/apis/policy/v1/namespaces/default/poddisruptionbudgets"


async def running(cluster: Cluster, name: str, *, ready: bool = True, node: str = "n") -> None:
    made = pod(name, nodeName=node)
    mapping(made["metadata"])["labels"] = {"app": "a"}
    await cluster.create(PODS, made)
    conditions: Any = [{"type": "Ready", "status": str(ready)}]
    status: Object = {"phase": "Running", "conditions": conditions}
    await cluster.update(f"{PODS}/{name}/status", lambda old: {**old, "status": status})


async def budget(cluster: Cluster, name: str = "b", *, allowed: int, seen: int = 1) -> None:
    wanted: Object = {"minAvailable": 2, "selector": {"matchLabels": {"app": "a"}}}
    await cluster.create(BUDGETS, {**named(name), "spec": wanted})
    counted: Object = {"disruptionsAllowed": allowed, "currentHealthy": 2, "desiredHealthy": 2}
    await counts(cluster, name, **counted, observedGeneration=seen)


async def counts(cluster: Cluster, name: str = "b", **counted: Any) -> None:
    """Say what the budget's controller would."""

    def change(old: Object) -> Object:
        return {**old, "status": {**mapping(old["status"]), **counted}}

    await cluster.update(f"{BUDGETS}/{name}/status", change)


async def evict(cluster: Cluster, name: str, *, dry_run: bool = False) -> None:
    request = cluster.request("POST", f"{PODS}/{name}/eviction", dry_run=dry_run)
    await cluster.api.evictions.evict(request, DeleteOptions())


async def prepared(cluster: Cluster) -> None:
    await cluster.create("/api/v1/namespaces/default/serviceaccounts", named("default"))


def status(cluster: Cluster, name: str = "b") -> Object:
    return mapping(cluster.get(f"{BUDGETS}/{name}")["status"])


def test_an_eviction_spends_what_the_budget_allows(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster)
        for name in ("p", "q"):
            await running(cluster, name)
        await budget(cluster, allowed=1)
        await evict(cluster, "p")
        after = status(cluster)
        assert (after["disruptionsAllowed"], after["disruptedPods"]) == (0, {"p": "2026-01-01T00:00:00Z"})
        assert [(each["status"], each["reason"]) for each in objects(after["conditions"])] == [
            ("False", "InsufficientPods")
        ]
        gone = cluster.get(f"{PODS}/p")
        assert at(gone, "metadata", "deletionGracePeriodSeconds") == 30
        assert [(each["type"], each["status"]) for each in objects(at(gone, "status", "conditions"))] == [
            ("Ready", "True"), ("DisruptionTarget", "True"),
        ]  # fmt: skip
        with pytest.raises(Failure) as refused:
            await evict(cluster, "q")
        assert (refused.value.code, refused.value.status["reason"]) == (429, "TooManyRequests")
        assert str(refused.value) == "Cannot evict pod as it would violate the pod's disruption budget."
        assert at(refused.value.status, "details") == {
            "causes": [
                {
                    "reason": "DisruptionBudget",
                    "message": "The disruption budget b needs 2 healthy pods and has 2 currently",
                }
            ]
        }
        assert "deletionTimestamp" not in mapping(cluster.get(f"{PODS}/q")["metadata"])

    play(scene)


def test_a_budget_that_its_controller_has_not_seen_is_waited_for(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster)
        await running(cluster, "p")
        await budget(cluster, allowed=1, seen=0)
        with pytest.raises(Failure) as refused:
            await evict(cluster, "p")
        assert at(refused.value.status, "details", "retryAfterSeconds") == 1
        assert "is still being processed by the server." in str(at(refused.value.status, "details", "causes"))

    play(scene)


def test_two_budgets_of_a_pod_are_an_error(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster)
        await running(cluster, "p")
        for name in ("b", "c"):
            await budget(cluster, name, allowed=1)
        with pytest.raises(Failure, match="This pod has more than one PodDisruptionBudget") as refused:
            await evict(cluster, "p")
        assert refused.value.code == 500

    play(scene)


def test_what_does_not_count_costs_nothing(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster)
        await budget(cluster, allowed=0)
        await running(cluster, "unready", ready=False)
        await evict(cluster, "unready")
        await cluster.create(PODS, pod("pending"))
        await evict(cluster, "pending")
        assert status(cluster)["disruptionsAllowed"] == 0
        await running(cluster, "late", ready=False)

        await counts(cluster, currentHealthy=1)
        with pytest.raises(Failure, match="Cannot evict pod"):
            await evict(cluster, "late")

        def always(document: Object) -> Object:
            child(document, "spec")["unhealthyPodEvictionPolicy"] = "AlwaysAllow"
            return document

        await cluster.update(f"{BUDGETS}/b", always)
        await evict(cluster, "late")

    play(scene)


def test_a_dry_run_spends_nothing(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster)
        await running(cluster, "p")
        await budget(cluster, allowed=1)
        before = cluster.get(f"{PODS}/p")
        await evict(cluster, "p", dry_run=True)
        assert status(cluster)["disruptionsAllowed"] == 1
        assert cluster.get(f"{PODS}/p") == before
        await counts(cluster, disruptionsAllowed=0)
        with pytest.raises(Failure, match="Cannot evict pod"):
            await evict(cluster, "p", dry_run=True)

    play(scene)


def test_the_grace_of_an_eviction_is_its_own(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster)
        await running(cluster, "p")
        request = cluster.request("POST", f"{PODS}/p/eviction")
        wrong = msgspec.structs.replace(DeleteOptions(), uid="other")
        with pytest.raises(Failure, match="Precondition failed"):
            await cluster.api.evictions.evict(request, wrong)
        await cluster.api.evictions.evict(request, DeleteOptions(grace_s=5))
        assert at(cluster.get(f"{PODS}/p"), "metadata", "deletionGracePeriodSeconds") == 5

    play(scene)
