"""LimitRanges: what pods are given, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.apiserver.conftest import Cluster, Play, named, pod

from jubako.cluster.apiserver.bounds import of_claim, of_containers
from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.types.document import Object, at, child, mapping, objects

PODS, RANGES = "/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/limitranges"
CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims"


async def prepared(cluster: Cluster, *limits: Any, name: str = "l") -> None:
    if name == "l":
        await cluster.create("/api/v1/namespaces/default/serviceaccounts", named("default"))
    await cluster.create(RANGES, {**named(name), "spec": {"limits": [*limits]}})


def asking(name: str = "p", **resources: Any) -> Object:
    container: Any = {"name": "c", "image": "busybox", "resources": resources}
    return pod(name, containers=[container])


@pytest.mark.parametrize(
    ("item", "requests", "limits", "expected"),
    [
        ({"min": {"cpu": "100m"}}, {"cpu": "10m"}, {}, "minimum cpu usage per Pod is 100m, but request is 10m"),
        ({"min": {"cpu": "100m"}}, {"cpu": "1"}, {"cpu": "50m"}, "minimum cpu usage per Pod is 100m, but limit is 50m"),
        ({"min": {"cpu": "100m"}}, {}, {}, "minimum cpu usage per Pod is 100m.  No request is specified"),
        ({"max": {"cpu": "1"}}, {"cpu": "3"}, {"cpu": "2"}, "maximum cpu usage per Pod is 1, but limit is 2"),
        ({"max": {"cpu": "1"}}, {"cpu": "3"}, {"cpu": "1"}, "maximum cpu usage per Pod is 1, but request is 3"),
        ({"max": {"cpu": "1"}}, {"cpu": "1"}, {}, "maximum cpu usage per Pod is 1.  No limit is specified"),
        ({"max": {"cpu": "1"}, "min": {"cpu": "1"}}, {"cpu": "1"}, {"cpu": "1000m"}, None),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}}, {"cpu": "1"}, {"cpu": "3"},
            "cpu max limit to request ratio per Pod is 2, but provided ratio is 3.000000",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}}, {"cpu": "0"}, {"cpu": "3"},
            "cpu max limit to request ratio per Pod is 2, but no request is specified or request is 0",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}}, {"cpu": "1"}, {},
            "cpu max limit to request ratio per Pod is 2, but no limit is specified or limit is 0",
        ),
        ({"maxLimitRequestRatio": {"cpu": "1500m"}}, {"cpu": "2"}, {"cpu": "3"}, None),
    ],
)  # fmt: skip
def test_one_item(item: Any, requests: Any, limits: Any, expected: str | None) -> None:
    assert [*of_containers("Pod", item, requests, limits)] == ([expected] if expected else [])


def test_a_claim_is_within_its_bounds() -> None:
    item: Any = {"min": {"storage": "1Gi"}, "max": {"storage": "2Gi"}}
    assert [*of_claim(item, {"storage": "1536Mi"})] == []
    assert [*of_claim(item, {"storage": "3Gi"})] == [
        "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi"
    ]


def test_containers_get_what_they_do_not_say(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        item = {"type": "Container", "default": {"cpu": "1", "memory": "64Mi"}, "defaultRequest": {"cpu": "100m"}}
        await prepared(cluster, item)
        document = asking(requests={"memory": "8Mi"})
        child(document, "spec")["initContainers"] = [{"name": "i", "image": "busybox"}]
        made = await cluster.create(PODS, document)
        (container,) = objects(at(made, "spec", "containers"))
        assert container["resources"] == {
            "requests": {"memory": "8Mi", "cpu": "100m"}, "limits": {"cpu": "1", "memory": "64Mi"},
        }  # fmt: skip
        assert at(made, "metadata", "annotations", "kubernetes.io/limit-ranger") == (
            "LimitRanger plugin set: cpu request for container c; cpu, memory limit for container c; "
            "cpu, memory request for init container i; cpu, memory limit for init container i"
        )
        assert at(made, "status", "qosClass") == "Burstable"

    play(scene)


def test_all_complaints_of_a_range_are_told_at_once(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        bounds = {"min": {"cpu": "100m", "memory": "4Mi"}, "max": {"cpu": "1"}}
        await prepared(cluster, {"type": "Container", **bounds}, {"type": "Pod", "max": {"memory": "1Gi"}})
        with pytest.raises(Failure) as refused:
            await cluster.create(PODS, asking(requests={"cpu": "10m", "memory": "2Gi"}, limits={"memory": "2Gi"}))
        assert refused.value.code == 403
        assert str(refused.value) == (
            'pods "p" is forbidden: [minimum cpu usage per Container is 100m, but request is 10m, '
            "maximum memory usage per Pod is 1Gi, but limit is 2Gi]"
        )
        await cluster.create(PODS, asking(requests={"cpu": "100m", "memory": "4Mi"}, limits={"memory": "1Gi"}))

    play(scene)


def test_a_pod_that_is_there_is_not_judged_again_and_a_claim_is(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster, {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}})
        await cluster.create(PODS, asking(requests={"cpu": "10m"}))
        await prepared(cluster, {"type": "Container", "min": {"cpu": "1"}}, name="m")

        def labelled(old: Object) -> Object:
            child(old, "metadata")["labels"] = {"a": "b"}
            return old

        await cluster.update(f"{PODS}/p", labelled)
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
        with pytest.raises(Failure, match="minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi"):
            await cluster.create(CLAIMS, {**named("c"), "spec": mapping(claim)})

    play(scene)
