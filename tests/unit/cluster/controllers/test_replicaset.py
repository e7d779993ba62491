from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.simulation import Simulation, end_pod, run_pod, set_ready, template, workload

from jubako.cluster.controllers import replicaset
from jubako.cluster.controllers.kinds import POD, REPLICA_SET, REPLICATION_CONTROLLER
from jubako.errors import PermissionDenied, Unavailable


@pytest.fixture
def sim() -> Simulation:
    return Simulation([replicaset.CONTROLLER])


def names(sim: Simulation) -> list[str]:
    return sorted(pod["metadata"]["name"] for pod in sim.api.all(POD))


def status(sim: Simulation) -> dict[str, Any]:
    return sim.api.find(REPLICA_SET, "web").get("status", {})


def test_pods_are_made_of_the_template_owned_and_told_of(sim: Simulation) -> None:
    sim.api.add(workload(REPLICA_SET, replicas=2))
    sim.settle()
    pods = sim.api.all(POD)
    assert len(pods) == 2
    for pod in pods:
        assert pod["metadata"]["generateName"] == "web-"
        assert pod["metadata"]["labels"] == {"app": "web"}
        (reference,) = pod["metadata"]["ownerReferences"]
        assert reference["kind"] == "ReplicaSet"
        assert reference["controller"] is True
        assert reference["blockOwnerDeletion"] is True
        assert ("Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}") in sim.api.events()


def test_status_counts_pods_as_they_become_ready_and_available(sim: Simulation) -> None:
    sim.api.add(workload(REPLICA_SET, replicas=2, minReadySeconds=10))
    sim.settle()
    for pod in sim.api.all(POD):
        run_pod(sim.api, pod)
    sim.settle()
    assert status(sim) == {"replicas": 2, "fullyLabeledReplicas": 2, "readyReplicas": 2, "observedGeneration": 1}
    sim.advance(10)
    assert status(sim)["availableReplicas"] == 2


def test_a_failed_or_deleted_pod_is_replaced(sim: Simulation) -> None:
    sim.api.add(workload(REPLICA_SET, replicas=2))
    sim.settle()
    first, second = sim.api.all(POD)
    end_pod(sim.api, first, "Failed")
    sim.api.remove(second)
    sim.settle()
    assert len([name for name in names(sim) if name != first["metadata"]["name"]]) == 2


def test_scaling_down_misses_least_first_pods_that_are_not_ready(sim: Simulation) -> None:
    sim.api.add(workload(REPLICA_SET, replicas=3))
    sim.settle()
    for pod in sim.api.all(POD):
        run_pod(sim.api, pod)
    sick = sim.api.all(POD)[1]
    set_ready(sim.api, sick, False)
    cheap = sim.api.all(POD)[2]
    sim.api.edit(
        POD,
        cheap["metadata"]["name"],
        lambda pod: pod["metadata"].update(annotations={"controller.kubernetes.io/pod-deletion-cost": "-5"}),
    )
    sim.api.edit(REPLICA_SET, "web", lambda each: each["spec"].update(replicas=1))
    sim.settle()
    left = [pod["metadata"]["name"] for pod in sim.api.all(POD) if "deletionTimestamp" not in pod["metadata"]]
    assert left == [name for name in names(sim) if name not in (sick["metadata"]["name"], cheap["metadata"]["name"])]
    assert ("Normal", "SuccessfulDelete", f"Deleted pod: {sick['metadata']['name']}") in sim.api.events()


def test_a_matching_orphan_is_adopted_and_one_that_no_longer_matches_released(sim: Simulation) -> None:
    orphan = sim.api.add({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "mine"}, "spec": {}} | {})
    sim.api.edit(POD, "mine", lambda pod: pod["metadata"].update(labels={"app": "web"}))
    sim.api.add(workload(REPLICA_SET, replicas=2))
    sim.settle()
    assert len(names(sim)) == 2
    assert sim.api.find(POD, "mine")["metadata"]["ownerReferences"][0]["name"] == "web"
    sim.api.edit(POD, "mine", lambda pod: pod["metadata"].update(labels={"app": "debug"}))
    sim.settle()
    assert "ownerReferences" not in sim.api.find(POD, "mine")["metadata"]
    assert len(names(sim)) == 3
    assert orphan["metadata"]["name"] in names(sim)


def test_a_pod_of_another_controller_is_left_alone(sim: Simulation) -> None:
    other = {"apiVersion": "x/v1", "kind": "Other", "name": "o", "uid": "o", "controller": True}
    metadata = {"name": "theirs", "labels": {"app": "web"}, "ownerReferences": [other]}
    sim.api.add({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}})
    sim.api.add(workload(REPLICA_SET, replicas=1))
    sim.settle()
    assert len(names(sim)) == 2


def test_a_refused_creation_is_told_as_condition_and_event_and_tried_again_later(sim: Simulation) -> None:
    refusal = PermissionDenied('pods "web-" is forbidden: exceeded quota')
    sim.api.refuse = lambda verb, document: refusal if document["kind"] == "Pod" else None
    sim.api.add(workload(REPLICA_SET, replicas=1))
    sim.advance(1)
    (condition,) = status(sim)["conditions"]
    assert condition["type"] == "ReplicaFailure"
    assert condition["reason"] == "FailedCreate"
    assert condition["message"] == 'pods "web-" is forbidden: exceeded quota'
    assert ("Warning", "FailedCreate", f"Error creating: {refusal.message}") in sim.api.events()
    sim.api.refuse = lambda verb, document: None
    sim.advance(10)
    assert len(names(sim)) == 1
    assert "conditions" not in status(sim)


def test_a_creation_whose_answer_was_lost_is_not_made_twice(sim: Simulation) -> None:
    losses = iter([Unavailable("timed out")])
    sim.api.lose = lambda verb, document: next(losses, None) if document["kind"] == "Pod" else None
    sim.api.add(workload(REPLICA_SET, replicas=2))
    for _ in range(50):
        sim.deliver(REPLICA_SET)
        sim.work()
        sim.clock.time += 1
    assert len(names(sim)) == 2


def test_a_watch_that_brings_nothing_does_not_make_pods_twice(sim: Simulation) -> None:
    sim.api.add(workload(REPLICA_SET, replicas=3))
    sim.deliver(REPLICA_SET)
    while sim.work():
        pass
    for _ in range(3):
        sim.api.edit(REPLICA_SET, "web", lambda each: each["metadata"]["labels"].update(again=str(sim.api.revision)))
        sim.deliver(REPLICA_SET)
        while sim.work():
            pass
    assert sim.undelivered(POD) == 3
    assert len(names(sim)) == 3


def test_one_that_is_being_deleted_makes_nothing(sim: Simulation) -> None:
    made = sim.api.add(workload(REPLICA_SET, replicas=1))
    sim.api.remove(made, "Foreground")
    sim.settle()
    assert names(sim) == []


def test_the_template_s_annotations_and_finalizers_reach_the_pod(sim: Simulation) -> None:
    wanted = template()
    wanted["metadata"] |= {"annotations": {"a": "b"}, "finalizers": ["x.io/f"]}
    sim.api.add(workload(REPLICA_SET, replicas=1, template=wanted))
    sim.settle()
    (pod,) = sim.api.all(POD)
    assert pod["metadata"]["annotations"] == {"a": "b"}
    assert pod["metadata"]["finalizers"] == ["x.io/f"]


def test_a_replication_controller_keeps_pods_by_labels_alone() -> None:
    sim = Simulation([replicaset.CONTROLLER, replicaset.REPLICATION])
    sim.api.add(workload(REPLICATION_CONTROLLER, replicas=2, selector={"app": "web"}))
    sim.settle()
    (reference,) = sim.api.all(POD)[0]["metadata"]["ownerReferences"]
    assert reference["kind"] == "ReplicationController"
    sim.api.edit(POD, names(sim)[0], lambda pod: pod["metadata"].update(labels={"app": "other"}))
    sim.settle()
    assert len(names(sim)) == 3, "one was let go and another was made"
    assert sim.api.find(REPLICATION_CONTROLLER, "web")["status"]["replicas"] == 2
