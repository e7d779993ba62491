"""Priorities of pods."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.apiserver.conftest import Cluster, Play, named, pod

from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.types.document import Object, mapping

PODS, CLASSES = "/api/v1/namespaces/default/pods", "/apis/scheduling.k8s.io/v1/priorityclasses"


async def prepared(cluster: Cluster, **classes: Any) -> None:
    await cluster.create("/api/v1/namespaces/default/serviceaccounts", named("default"))
    for name, document in classes.items():
        await cluster.create(CLASSES, {**named(name), **document})


def found(of: Object) -> tuple[Any, ...]:
    spec = mapping(of["spec"])
    return spec.get("priorityClassName"), spec["priority"], spec["preemptionPolicy"]


def test_a_pod_has_the_priority_of_its_class_of_the_default_or_none(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster, high={"value": 7, "preemptionPolicy": "Never"})
        assert found(await cluster.create(PODS, pod("plain"))) == (None, 0, "PreemptLowerPriority")
        made = await cluster.create(PODS, pod("high", priorityClassName="high"))
        assert found(made) == ("high", 7, "Never")
        await cluster.create(CLASSES, {**named("usual"), "value": 3, "globalDefault": True})
        assert found(await cluster.create(PODS, pod("usual"))) == ("usual", 3, "PreemptLowerPriority")
        critical = pod("critical", priorityClassName="system-node-critical")
        assert found(await cluster.create(PODS, critical)) == (
            "system-node-critical", 2_000_001_000, "PreemptLowerPriority",
        )  # fmt: skip

    play(scene)


def test_a_class_that_is_not_there_and_a_priority_of_ones_own_are_refused(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster, high={"value": 7})
        with pytest.raises(Failure, match='pods "p" is forbidden: no PriorityClass with name none was found'):
            await cluster.create(PODS, pod(priorityClassName="none"))
        with pytest.raises(Failure, match=r"the integer value of priority \(9\) must not be provided in pod spec"):
            await cluster.create(PODS, pod(priorityClassName="high", priority=9))

    play(scene)


def test_an_update_that_leaves_it_out_keeps_it(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await prepared(cluster, high={"value": 7})
        await cluster.create(PODS, pod(priorityClassName="high"))

        def replaced(old: Object) -> Object:
            spec = {
                name: held
                for name, held in mapping(old["spec"]).items()
                if name not in ("priority", "preemptionPolicy")
            }
            return {**old, "spec": spec}

        assert found(await cluster.update(f"{PODS}/p", replaced))[1] == 7

    play(scene)
