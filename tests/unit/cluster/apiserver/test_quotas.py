"""ResourceQuotas: what may be made, one by one and all at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.cluster.apiserver.conftest import Cluster, Play, named, pod

from jubako.cluster.apiserver.access.rules import Wish, rules_of
from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.apiserver.objects import reading
from jubako.cluster.apiserver.objects.deleting import DeleteOptions
from jubako.cluster.types.document import Object, at, child, objects
from jubako.cluster.types.served import VERBS

SPACE = "/api/v1/namespaces/default"
PODS, QUOTAS, MAPS, SERVICES = (
    f"{SPACE}/{plural}" for plural in ("pods", "resourcequotas", "configmaps", "services")
)  # fmt: skip


async def prepared(cluster: Cluster, name: str = "q", scopes: Any = (), **hard: str) -> None:
    if name == "q":
        await cluster.create(f"{SPACE}/serviceaccounts", named("default"))
    spec: Any = {"hard": {key.replace("_", "."): most for key, most in hard.items()}, "scopes": [*scopes]}
    await cluster.create(QUOTAS, {**named(name), "spec": spec})


def asking(name: str, **resources: Any) -> Object:
    return pod(name, containers=[{"name": "c", "image": "busybox", "resources": resources}])


def service(name: str, kind: str = "ClusterIP", ports: int = 1) -> Object:
    numbered: Any = [{"name": f"p{n}", "port": 80 + n} for n in range(ports)]
    return {**named(name), "spec": {"type": kind, "ports": numbered}}


async def refusal(cluster: Cluster, path: str, document: Object) -> str:
    with pytest.raises(Failure) as refused:
        await cluster.create(path, document)
    assert (refused.value.code, refused.value.status["reason"]) == (403, "Forbidden")
    return str(refused.value)


def test_the_words_of_a_refusal(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster, pods="2", requests_memory="100Mi")
        small = {"requests": {"memory": "40Mi"}}
        await cluster.create(PODS, asking("a", **small))
        assert await refusal(cluster, PODS, asking("b", requests={"memory": "64Mi"})) == (
            'pods "b" is forbidden: exceeded quota: q, requested: requests.memory=64Mi, used: requests.memory=40Mi, '
            "limited: requests.memory=100Mi"
        )
        assert await refusal(cluster, PODS, pod("b")) == (
            'pods "b" is forbidden: failed quota: q: must specify requests.memory for: c'
        )
        await cluster.create(PODS, asking("b", **small))
        assert await refusal(cluster, PODS, asking("d", requests={"memory": "1Mi"})) == (
            'pods "d" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2'
        )
        await cluster.delete(f"{PODS}/a", DeleteOptions(grace_s=0))
        await cluster.create(PODS, asking("d", **small))

    play(scene)


def test_a_pod_that_has_ended_leaves_its_place(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster, pods="1")
        await cluster.create(PODS, pod("a"))
        await refusal(cluster, PODS, pod("b"))
        await cluster.update(f"{PODS}/a/status", lambda old: {**old, "status": {"phase": "Succeeded"}})
        await cluster.create(PODS, pod("b"))

    play(scene)


def test_a_quota_of_a_scope_counts_its_pods_alone(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster, scopes=["BestEffort"], pods="1")
        await cluster.create(PODS, pod("a"))
        await refusal(cluster, PODS, pod("b"))
        await cluster.create(PODS, asking("c", requests={"cpu": "1m"}))

    play(scene)


def test_objects_are_counted_by_both_of_their_names(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster, configmaps="1", **{"count/secrets": "0"})
        await cluster.create(MAPS, named("a"))
        assert "requested: configmaps=1, used: configmaps=1, limited: configmaps=1" in await refusal(
            cluster, MAPS, named("b")
        )
        assert "requested: count/secrets=1" in await refusal(cluster, f"{SPACE}/secrets", named("s"))

    play(scene)


def test_an_update_may_not_take_too_much_either(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster, services_nodeports="2")
        await cluster.create(SERVICES, service("a", "NodePort", ports=2))
        await cluster.create(SERVICES, service("b"))

        def opened(old: Object) -> Object:
            child(old, "spec")["type"] = "NodePort"
            return old

        with pytest.raises(Failure) as refused:
            await cluster.update(f"{SERVICES}/b", opened)
        assert str(refused.value) == (
            'services "b" is forbidden: exceeded quota: q, requested: services.nodeports=1, '
            "used: services.nodeports=2, limited: services.nodeports=2"
        )
        await cluster.update(f"{SERVICES}/a", opened)

    play(scene)


def test_a_dry_run_takes_nothing(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster, pods="1")
        await cluster.create(PODS, pod("a"), dry_run=True)
        await cluster.create(PODS, pod("b"))
        with pytest.raises(Failure, match="exceeded quota"):
            await cluster.create(PODS, pod("c"), dry_run=True)

    play(scene)


def test_a_client_that_goes_while_its_pod_is_written_does_not_make_room(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster, pods="1")
        gone = asyncio.create_task(cluster.create(PODS, pod("a")))
        await asyncio.sleep(0)
        gone.cancel()
        assert "used: pods=1" in await refusal(cluster, PODS, pod("b"))
        with pytest.raises(asyncio.CancelledError):
            await gone
        while not names(cluster):
            await asyncio.sleep(0.001)
        assert names(cluster) == {"a"}

    play(scene)


@pytest.mark.parametrize("role", ["view", "edit", "admin"])
@pytest.mark.parametrize("plural", ["resourcequotas", "limitranges"])
def test_who_works_in_a_namespace_reads_its_quota_and_does_not_write_it(play: Play, role: str, plural: str) -> None:
    async def scene(cluster: Cluster) -> None:
        rules = rules_of(cluster.get(f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{role}"))
        verbs = {
            verb for verb in VERBS if any(each.allows(Wish(verb=verb, resource=plural, name="q")) for each in rules)
        }
        assert verbs == {"get", "list", "watch"}

    play(scene)


def names(cluster: Cluster) -> set[str]:
    asked = cluster.request("GET", PODS).attributes
    found = reading.listing(cluster.api.store, reading.Selection(resource=asked.resource, namespace="default"))
    return {item.key.rpartition("/")[2] for item in found.items}


def taken(cluster: Cluster) -> int:
    """Thousandths of a processor that the stored pods request."""
    containers = [objects(at(cluster.get(f"{PODS}/{name}"), "spec", "containers")) for name in names(cluster)]
    return sum(int(str(at(each[0], "resources", "requests", "cpu")).removesuffix("m")) for each in containers)


async def attempt(cluster: Cluster, name: str, milli: int) -> Object:
    return await cluster.create(PODS, asking(name, requests={"cpu": f"{milli}m"}))


AMOUNTS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(1, 400), st.booleans()), min_size=2, max_size=16)


@given(wanted=AMOUNTS, pods=st.integers(1, 5), cpu=st.integers(100, 1000))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_creates_at_once_never_take_more_than_there_is(
    play: Play, wanted: list[tuple[str, int, bool]], pods: int, cpu: int
) -> None:
    """Names may be the same, and clients may go at any time."""

    async def scene(cluster: Cluster) -> None:
        await prepared(cluster, pods=str(pods), requests_cpu=f"{cpu}m")
        tasks = [asyncio.create_task(attempt(cluster, name, milli)) for name, milli, _ in wanted]
        await asyncio.sleep(0)
        for task, (_, _, goes) in zip(tasks, wanted, strict=True):
            if goes:
                task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        await cluster.create(MAPS, named("after"))  # all writes from before are answered by now
        assert all(isinstance(each, dict | Failure | asyncio.CancelledError) for each in done)
        assert len(names(cluster)) <= pods
        assert taken(cluster) <= cpu
        for name, milli, _ in wanted:  # and what was refused, or lost its client, has taken nothing
            if name not in names(cluster):
                fits = len(names(cluster)) < pods and taken(cluster) + milli <= cpu
                made = await asyncio.gather(attempt(cluster, name, milli), return_exceptions=True)
                assert isinstance(made[0], dict) == fits

    play(scene)
