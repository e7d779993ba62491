from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.simulation import Simulation, workload

from jubako.cluster.controllers import daemonset, deployment, garbage, job, replicaset, statefulset
from jubako.cluster.controllers.kinds import (
    CONFIG_MAP,
    CONTROLLER_REVISION,
    DAEMON_SET,
    DEPLOYMENT,
    JOB,
    POD,
    REPLICA_SET,
    STATEFUL_SET,
    Kind,
)

WIDGET = Kind("example.com/v1", "Widget")


@pytest.fixture
def sim() -> Simulation:
    return Simulation([garbage.controller([DEPLOYMENT, REPLICA_SET, POD, CONFIG_MAP])])


def add(sim: Simulation, kind: Kind, name: str, *owners: dict[str, Any], block: bool = True) -> dict[str, Any]:
    references = [
        {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": block,
        }
        for owner in owners
    ]
    metadata = {"name": name, "ownerReferences": references}
    document = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, "spec": {}}
    found: dict[str, Any] = sim.api.add(document)
    return found


def names(sim: Simulation, kind: Kind) -> list[str]:
    return sorted(each["metadata"]["name"] for each in sim.api.all(kind))


def tree(sim: Simulation) -> dict[str, Any]:
    deployment = add(sim, DEPLOYMENT, "d")
    replica_set = add(sim, REPLICA_SET, "r", deployment)
    add(sim, POD, "p1", replica_set)
    add(sim, POD, "p2", replica_set)
    sim.settle()
    return deployment


def test_background_the_owner_goes_at_once_and_what_it_owned_after_it(sim: Simulation) -> None:
    sim.api.remove(tree(sim), "Background")
    assert names(sim, DEPLOYMENT) == []
    assert names(sim, POD) == ["p1", "p2"]
    sim.settle()
    assert names(sim, REPLICA_SET) == names(sim, POD) == []


def test_foreground_the_owner_goes_after_the_last_that_blocks_it(sim: Simulation) -> None:
    deployment = tree(sim)
    sim.api.edit(POD, "p1", lambda pod: pod["metadata"].update(finalizers=["x.io/slow"]))
    sim.api.remove(deployment, "Foreground")
    sim.settle()
    assert names(sim, DEPLOYMENT) == ["d"]
    assert names(sim, REPLICA_SET) == ["r"]
    assert names(sim, POD) == ["p1"]
    sim.api.edit(POD, "p1", lambda pod: pod["metadata"].update(finalizers=[]))
    sim.settle()
    assert names(sim, DEPLOYMENT) == names(sim, REPLICA_SET) == names(sim, POD) == []


def test_foreground_a_circle_of_owners_ends(sim: Simulation) -> None:
    made = [add(sim, CONFIG_MAP, name) for name in "abc"]
    for each, owner in zip(made, [made[-1], *made], strict=False):
        metadata = owner["metadata"]
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": metadata["name"], "uid": metadata["uid"]}
        owners = [{**reference, "blockOwnerDeletion": True}]
        sim.api.edit(
            CONFIG_MAP, each["metadata"]["name"], lambda found, o=owners: found["metadata"].update(ownerReferences=o)
        )
    sim.settle()
    sim.api.remove(sim.api.find(CONFIG_MAP, "a"), "Foreground")
    sim.settle()
    assert names(sim, CONFIG_MAP) == []


def test_foreground_does_not_wait_for_what_does_not_block(sim: Simulation) -> None:
    owner = add(sim, DEPLOYMENT, "d")
    add(sim, CONFIG_MAP, "c", owner, block=False)
    sim.api.edit(CONFIG_MAP, "c", lambda each: each["metadata"].update(finalizers=["x.io/slow"]))
    sim.settle()
    sim.api.remove(owner, "Foreground")
    sim.settle()
    assert names(sim, DEPLOYMENT) == []


def test_orphan_the_owner_goes_and_what_it_owned_stays_without_its_name(sim: Simulation) -> None:
    sim.api.remove(tree(sim), "Orphan")
    sim.settle()
    assert names(sim, DEPLOYMENT) == []
    assert names(sim, POD) == ["p1", "p2"]
    assert "ownerReferences" not in sim.api.find(REPLICA_SET, "r")["metadata"]


def test_what_has_another_owner_stays_and_forgets_the_one_that_is_gone(sim: Simulation) -> None:
    one, two = add(sim, DEPLOYMENT, "one"), add(sim, DEPLOYMENT, "two")
    add(sim, CONFIG_MAP, "c", one, two)
    sim.settle()
    sim.api.remove(one)
    sim.settle()
    (reference,) = sim.api.find(CONFIG_MAP, "c")["metadata"]["ownerReferences"]
    assert reference["name"] == "two"


def test_an_owner_of_the_same_name_made_anew_is_another_one(sim: Simulation) -> None:
    owner = add(sim, DEPLOYMENT, "d")
    add(sim, CONFIG_MAP, "c", owner)
    sim.settle()
    sim.api.remove(owner)
    add(sim, DEPLOYMENT, "d")
    sim.settle()
    assert names(sim, CONFIG_MAP) == []


def test_an_object_made_with_an_owner_that_is_not_there_goes(sim: Simulation) -> None:
    add(sim, CONFIG_MAP, "c", {**add(sim, DEPLOYMENT, "d"), "metadata": {"name": "d", "uid": "other"}})
    sim.settle()
    assert names(sim, CONFIG_MAP) == []


def test_an_owner_of_a_kind_that_is_not_seen_holds_what_it_owns(sim: Simulation) -> None:
    unseen = {"apiVersion": WIDGET.api_version, "kind": "Widget", "metadata": {"name": "w", "uid": "w"}}
    add(sim, CONFIG_MAP, "c", unseen)
    sim.settle()
    assert names(sim, CONFIG_MAP) == ["c"]


def test_a_crash_at_any_moment_of_a_cascade_leaves_nothing_behind(sim: Simulation) -> None:
    sim.api.remove(tree(sim), "Foreground")
    for place in range(40):
        sim.restart()
        sim.deliver_all()
        sim.work(place)
    assert names(sim, DEPLOYMENT) == names(sim, REPLICA_SET) == names(sim, POD) == []


@pytest.mark.parametrize("kind", [DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB])
def test_a_workload_deleted_in_the_foreground_makes_nothing_anew_and_goes(kind: Kind) -> None:
    every = [deployment, replicaset, statefulset, daemonset, job]
    kinds = [DEPLOYMENT, REPLICA_SET, STATEFUL_SET, DAEMON_SET, JOB, CONTROLLER_REVISION, POD]
    sim = Simulation([*(each.CONTROLLER for each in every), garbage.controller(kinds)])
    sim.api.add({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "spec": {}})
    made = sim.api.add(workload(kind, replicas=2))
    sim.settle()
    assert sim.api.all(POD)
    sim.api.remove(made, "Foreground")
    sim.settle()
    assert [found.name for found, _ in sim.api.objects if found.name not in ("Event", "Node")] == []
