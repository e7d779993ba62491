"""RuntimeClasses of pods."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.apiserver.conftest import Cluster, Play, named, pod

from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.types.document import mapping

PODS, CLASSES = "/api/v1/namespaces/default/pods", "/apis/node.k8s.io/v1/runtimeclasses"
COSTLY = {"handler": "runc", "overhead": {"podFixed": {"cpu": "10m"}}}


async def prepared(cluster: Cluster, **classes: Any) -> None:
    await cluster.create("/api/v1/namespaces/default/serviceaccounts", named("default"))
    for name, document in classes.items():
        await cluster.create(CLASSES, {**named(name), **document})


def test_a_pod_costs_what_its_class_says_and_goes_where_it_says(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        toleration = {"key": "k", "operator": "Exists"}
        scheduling = {"nodeSelector": {"a": "b"}, "tolerations": [toleration]}
        await prepared(cluster, costly={**COSTLY, "scheduling": scheduling}, plain={"handler": "runc"})
        own: Any = {"c": "d"}
        spec = mapping((await cluster.create(PODS, pod(runtimeClassName="costly", nodeSelector=own)))["spec"])
        assert (spec["overhead"], spec["nodeSelector"]) == ({"cpu": "10m"}, {"a": "b", "c": "d"})
        assert toleration in spec["tolerations"]  # type: ignore[operator]
        spec = mapping((await cluster.create(PODS, pod("q", runtimeClassName="plain")))["spec"])
        assert "overhead" not in spec

    play(scene)


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"runtimeClassName": "none"}, 'RuntimeClass "none" not found'),
        ({"overhead": {"cpu": "1"}}, "Pod Overhead set without corresponding RuntimeClass defined Overhead"),
        (
            {"runtimeClassName": "costly", "overhead": {"cpu": "1"}},
            "Pod's Overhead doesn't match RuntimeClass's defined Overhead",
        ),
        ({"runtimeClassName": "costly", "nodeSelector": {"a": "c"}}, "conflict: runtimeClass.scheduling.nodeSelector"),
    ],
)
def test_what_contradicts_a_class_is_rejected(play: Play, spec: Any, why: str) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster, costly={**COSTLY, "scheduling": {"nodeSelector": {"a": "b"}}})
        with pytest.raises(Failure, match=f'pods "p" is forbidden: pod rejected: {why.partition("[")[0]}'):
            await cluster.create(PODS, pod(**spec))

    play(scene)
