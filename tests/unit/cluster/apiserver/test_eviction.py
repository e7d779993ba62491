"""Evictions and budgets."""

from __future__ import annotations

import pytest
from tests.unit.cluster.apiserver.conftest import Cluster, Play

from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.apiserver.objects.deleting import DeleteOptions
from jubako.cluster.apiserver.special.eviction import Evicting
from jubako.cluster.types.document import Object, at

PODS = "/api/v1/namespaces/default/pods"
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"


async def account(cluster: Cluster) -> None:
    await cluster.create("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})


async def pod(cluster: Cluster, name: str, *, ready: bool = True, phase: str = "Running") -> None:
    spec: Object = {"containers": [{"name": "c", "image": "i"}]}
    await cluster.create(PODS, {"metadata": {"name": name, "labels": {"app": "a"}}, "spec": spec})
    conditions: list[Object] = [{"type": "Ready", "status": "True" if ready else "False"}]
    await cluster.update(
        f"{PODS}/{name}/status", lambda old: {**old, "status": {"phase": phase, "conditions": conditions}}
    )


async def budget(
    cluster: Cluster, allowed: int, name: str = "b", *, observed: int = 1, desired: int = 1, **spec: str
) -> None:
    selector: Object = {"matchLabels": {"app": "a"}}
    await cluster.create(
        BUDGETS, {"metadata": {"name": name}, "spec": {"selector": selector, "minAvailable": 1, **spec}}
    )
    status: Object = {
        "disruptionsAllowed": allowed, "observedGeneration": observed, "currentHealthy": 1 + allowed,
        "desiredHealthy": desired, "expectedPods": 2,
    }  # fmt: skip
    await cluster.update(f"{BUDGETS}/{name}/status", lambda old: {**old, "status": status})


async def evict(cluster: Cluster, name: str, *, dry_run: bool = False) -> None:
    api = cluster.api
    request = cluster.request("DELETE", f"{PODS}/{name}", dry_run=dry_run)
    await Evicting(api.store, api.writer, api.deleter, api.clock).evict(request, DeleteOptions())


async def refused(cluster: Cluster, name: str) -> tuple[int, str]:
    with pytest.raises(Failure) as failed:
        await evict(cluster, name)
    causes = at(failed.value.status, "details", "causes")
    return failed.value.code, str(causes[0]["message"]) if isinstance(causes, list) else failed.value.message


def test_a_budget_counts_what_goes_and_then_refuses(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await account(cluster)
        await budget(cluster, 1)
        for name in ("one", "two"):
            await pod(cluster, name)
        await evict(cluster, "one", dry_run=True)
        assert at(cluster.get(f"{BUDGETS}/b"), "status", "disruptionsAllowed") == 1
        await evict(cluster, "one")
        status = cluster.get(f"{BUDGETS}/b")["status"]
        assert at(status, "disruptionsAllowed") == 0
        assert list(at(status, "disruptedPods") or {}) == ["one"]
        with pytest.raises(Failure):
            cluster.get(f"{PODS}/one")
        assert await refused(cluster, "two") == (
            429, "The disruption budget b needs 1 healthy pods and has 2 currently",
        )  # fmt: skip
        cluster.get(f"{PODS}/two")

    play(scene)


def test_a_budget_that_nobody_has_looked_at_yet_refuses(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await account(cluster)
        await budget(cluster, 1, observed=0)
        await pod(cluster, "one")
        code, why = await refused(cluster, "one")
        assert (code, "still being processed" in why) == (429, True)

    play(scene)


def test_what_does_no_work_goes_past_its_budget(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await account(cluster)
        await budget(cluster, 0)
        for phase in ("Pending", "Succeeded", "Failed"):
            await pod(cluster, phase.lower(), phase=phase)
            await evict(cluster, phase.lower())

    play(scene)


@pytest.mark.parametrize(
    ("policy", "desired", "goes"),
    [("AlwaysAllow", 3, True), ("IfHealthyBudget", 1, True), ("IfHealthyBudget", 3, False)],
)
def test_what_is_not_ready_goes_as_the_policy_says(play: Play, policy: str, desired: int, goes: bool) -> None:
    async def scene(cluster: Cluster) -> None:
        await account(cluster)
        await budget(cluster, 0, desired=desired, unhealthyPodEvictionPolicy=policy)
        await pod(cluster, "one", ready=False)
        if goes:
            await evict(cluster, "one")
        else:
            assert (await refused(cluster, "one"))[0] == 429

    play(scene)


def test_two_budgets_of_one_pod_are_an_error(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await account(cluster)
        for name in ("b", "c"):
            await budget(cluster, 1, name)
        await pod(cluster, "one")
        assert (await refused(cluster, "one"))[0] == 500

    play(scene)
