from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.simulation import Simulation, is_active, is_ready, run_pod, set_ready, template, workload

from jubako.cluster.controllers import deployment, replicaset
from jubako.cluster.controllers.deployment.bounds import fenceposts
from jubako.cluster.controllers.kinds import DEPLOYMENT, POD, REPLICA_SET
from jubako.errors import PermissionDenied

REVISION = "deployment.kubernetes.io/revision"


@pytest.fixture
def sim() -> Simulation:
    return Simulation([deployment.CONTROLLER, replicaset.CONTROLLER])


def rolling(surge: Any = "25%", unavailable: Any = "25%") -> dict[str, Any]:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


def found(sim: Simulation) -> dict[str, Any]:
    return sim.api.find(DEPLOYMENT, "web")


def status(sim: Simulation) -> dict[str, Any]:
    return found(sim).get("status", {})


def conditions(sim: Simulation) -> dict[str, tuple[str, str, str]]:
    return {each["type"]: (each["status"], each["reason"], each["message"]) for each in status(sim)["conditions"]}


def sets(sim: Simulation) -> dict[str, int]:
    """Replicas by the image of the template."""
    return {
        each["spec"]["template"]["spec"]["containers"][0]["image"]: each["spec"]["replicas"]
        for each in sim.api.all(REPLICA_SET)
    }


def replica_set(sim: Simulation, image: str) -> dict[str, Any]:
    return next(
        each for each in sim.api.all(REPLICA_SET) if each["spec"]["template"]["spec"]["containers"][0]["image"] == image
    )


def start_all(sim: Simulation, image: str = "") -> None:
    for pod in sim.api.all(POD):
        if not is_ready(pod) and is_active(pod) and image in ("", pod["spec"]["containers"][0]["image"]):
            run_pod(sim.api, pod)


def end_all(sim: Simulation) -> None:
    for pod in sim.api.all(POD):
        if "deletionTimestamp" in pod["metadata"]:
            sim.api.gone(pod)


def roll_out(sim: Simulation, image: str) -> None:
    sim.api.edit(DEPLOYMENT, "web", lambda each: each["spec"].update(template=template(image)))
    sim.settle()


def complete(sim: Simulation) -> None:
    for _ in range(30):
        start_all(sim)
        end_all(sim)
        sim.settle()


def ready(sim: Simulation, **spec: Any) -> None:
    sim.api.add(workload(DEPLOYMENT, **spec))
    sim.settle()
    complete(sim)


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (10, "25%", "25%", (3, 2)),
        (3, "25%", "25%", (1, 0)),
        (1, "25%", "25%", (1, 0)),
        (4, 0, 0, (0, 1)),
        (4, "0%", "10%", (0, 1)),
        (4, 1, 10, (1, 4)),
        (0, "25%", "25%", (0, 0)),
    ],
)
def test_surge_rounds_up_unavailable_down_and_both_nothing_is_one(
    replicas: int, surge: Any, unavailable: Any, expected: tuple[int, int]
) -> None:
    assert fenceposts(workload(DEPLOYMENT, replicas=replicas, strategy=rolling(surge, unavailable))) == expected


def test_a_new_deployment_has_one_replica_set_named_labelled_and_selecting_by_its_hash(sim: Simulation) -> None:
    sim.api.add(workload(DEPLOYMENT))
    sim.settle()
    (made,) = sim.api.all(REPLICA_SET)
    hash_ = made["metadata"]["labels"]["pod-template-hash"]
    assert made["metadata"]["name"] == f"web-{hash_}"
    assert made["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": hash_}
    assert made["spec"]["template"]["metadata"]["labels"] == {"app": "web", "pod-template-hash": hash_}
    assert made["metadata"]["annotations"] == {
        "deployment.kubernetes.io/desired-replicas": "3",
        "deployment.kubernetes.io/max-replicas": "4",
        REVISION: "1",
    }
    assert found(sim)["metadata"]["annotations"][REVISION] == "1"
    assert ("Normal", "ScalingReplicaSet", f"Scaled up replica set web-{hash_} from 0 to 3") in sim.api.events()


def test_conditions_go_from_created_over_progressing_to_available(sim: Simulation) -> None:
    sim.api.add(workload(DEPLOYMENT, progressDeadlineSeconds=600))
    sim.deliver_all()
    sim.work()
    name = sim.api.all(REPLICA_SET)[0]["metadata"]["name"]
    assert conditions(sim)["Progressing"] == ("True", "NewReplicaSetCreated", f'Created new replica set "{name}"')
    sim.settle()
    assert conditions(sim)["Available"] == (
        "False",
        "MinimumReplicasUnavailable",
        "Deployment does not have minimum availability.",
    )
    assert conditions(sim)["Progressing"] == ("True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
    complete(sim)
    assert conditions(sim) == {
        "Available": ("True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
        "Progressing": ("True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.'),
    }
    assert {key: value for key, value in status(sim).items() if key != "conditions"} == {
        "replicas": 3,
        "updatedReplicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "observedGeneration": 1,
    }


def test_a_rollout_surges_waits_for_readiness_and_ends_with_the_new_version_only(sim: Simulation) -> None:
    ready(sim, replicas=4, strategy=rolling(1, 1))
    roll_out(sim, "app:2")
    assert sets(sim) == {"app:1": 3, "app:2": 2}
    end_all(sim)
    sim.settle()
    assert sets(sim) == {"app:1": 3, "app:2": 2}, "nothing moves before the new pods are ready"
    complete(sim)
    assert sets(sim) == {"app:1": 0, "app:2": 4}
    assert replica_set(sim, "app:2")["metadata"]["annotations"][REVISION] == "2"


def test_a_bad_version_stalls_keeps_what_is_available_and_times_out(sim: Simulation) -> None:
    ready(sim, replicas=4, strategy=rolling(1, 1), progressDeadlineSeconds=60)
    roll_out(sim, "app:bad")
    name = replica_set(sim, "app:bad")["metadata"]["name"]
    end_all(sim)
    sim.advance(59)
    assert conditions(sim)["Progressing"][1] == "ReplicaSetUpdated"
    sim.advance(5)
    assert conditions(sim)["Progressing"] == (
        "False",
        "ProgressDeadlineExceeded",
        f'ReplicaSet "{name}" has timed out progressing.',
    )
    assert sum(is_ready(pod) and is_active(pod) for pod in sim.api.all(POD)) == 3


def test_undo_puts_the_old_template_back_and_its_replica_set_gets_a_new_revision(sim: Simulation) -> None:
    ready(sim, replicas=2)
    roll_out(sim, "app:2")
    complete(sim)
    before = replica_set(sim, "app:1")["metadata"]["name"]
    roll_out(sim, "app:1")
    complete(sim)
    assert sets(sim) == {"app:1": 2, "app:2": 0}
    again = replica_set(sim, "app:1")
    assert again["metadata"]["name"] == before
    assert again["metadata"]["annotations"][REVISION] == "3"
    assert again["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"
    assert found(sim)["metadata"]["annotations"][REVISION] == "3"


def test_annotations_are_shared_with_the_new_replica_set_but_not_kubectl_s_own(sim: Simulation) -> None:
    wanted = workload(DEPLOYMENT)
    wanted["metadata"]["annotations"] = {
        "kubernetes.io/change-cause": "first",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
    }
    sim.api.add(wanted)
    sim.settle()
    (made,) = sim.api.all(REPLICA_SET)
    assert made["metadata"]["annotations"]["kubernetes.io/change-cause"] == "first"
    assert "kubectl.kubernetes.io/last-applied-configuration" not in made["metadata"]["annotations"]


def test_history_beyond_the_limit_is_deleted_oldest_first(sim: Simulation) -> None:
    ready(sim, replicas=1, revisionHistoryLimit=2)
    for number in range(2, 6):
        roll_out(sim, f"app:{number}")
        complete(sim)
    assert sorted(sets(sim)) == ["app:3", "app:4", "app:5"]


def test_a_paused_deployment_scales_but_does_not_roll(sim: Simulation) -> None:
    ready(sim, replicas=2, progressDeadlineSeconds=600)
    sim.api.edit(DEPLOYMENT, "web", lambda each: each["spec"].update(paused=True))
    sim.settle()
    assert conditions(sim)["Progressing"] == ("Unknown", "DeploymentPaused", "Deployment is paused")
    roll_out(sim, "app:2")
    assert sets(sim) == {"app:1": 2}
    sim.api.edit(DEPLOYMENT, "web", lambda each: each["spec"].update(replicas=3))
    sim.settle()
    assert sets(sim) == {"app:1": 3}
    sim.api.edit(DEPLOYMENT, "web", lambda each: each["spec"].update(paused=False))
    sim.deliver_all()
    sim.work()
    assert conditions(sim)["Progressing"] == ("Unknown", "DeploymentResumed", "Deployment is resumed")
    sim.settle()
    complete(sim)
    assert sets(sim) == {"app:1": 0, "app:2": 3}


def test_recreate_starts_nothing_new_before_the_last_old_pod_is_gone(sim: Simulation) -> None:
    ready(sim, replicas=2, strategy={"type": "Recreate"})
    roll_out(sim, "app:2")
    assert sets(sim) == {"app:1": 0}
    end = [pod for pod in sim.api.all(POD) if "deletionTimestamp" in pod["metadata"]]
    sim.api.gone(end[0])
    sim.settle()
    assert sets(sim) == {"app:1": 0}
    sim.api.gone(end[1])
    sim.settle()
    assert sets(sim) == {"app:1": 0, "app:2": 2}


def test_scaling_within_a_rollout_is_shared_in_proportion(sim: Simulation) -> None:
    ready(sim, replicas=10, strategy=rolling(3, 2))
    roll_out(sim, "app:bad")
    end_all(sim)
    sim.settle()
    assert sets(sim) == {"app:1": 8, "app:bad": 5}
    sim.api.edit(DEPLOYMENT, "web", lambda each: each["spec"].update(replicas=15))
    sim.settle()
    assert sets(sim) == {"app:1": 11, "app:bad": 7}


def test_scaling_to_nothing_and_back(sim: Simulation) -> None:
    ready(sim, replicas=2)
    for replicas in (0, 4):
        sim.api.edit(DEPLOYMENT, "web", lambda each, size=replicas: each["spec"].update(replicas=size))  # type: ignore[misc]
        sim.settle()
        complete(sim)
        assert sets(sim) == {"app:1": replicas}
        assert status(sim).get("availableReplicas", 0) == replicas


def test_unavailable_pods_of_the_old_version_do_not_hold_the_new_one_up(sim: Simulation) -> None:
    ready(sim, replicas=4, strategy=rolling(1, 1))
    for pod in sim.api.all(POD)[:2]:
        set_ready(sim.api, pod, False)
    sim.settle()
    roll_out(sim, "app:2")
    end_all(sim)
    sim.settle()
    assert sets(sim)["app:1"] == 3, "one that was not ready went, those that are ready are too few to lose one"
    complete(sim)
    assert sets(sim) == {"app:1": 0, "app:2": 4}


def test_a_name_taken_by_somebody_else_s_replica_set_is_counted_as_a_collision(sim: Simulation) -> None:
    other = Simulation([deployment.CONTROLLER])
    other.api.add(workload(DEPLOYMENT))
    other.settle()
    name = other.api.all(REPLICA_SET)[0]["metadata"]["name"]
    taken = workload(
        REPLICA_SET, name, 0, selector={"matchLabels": {"app": "other"}}, template=template("other", {"app": "other"})
    )
    taken["metadata"]["labels"] = {"app": "other"}
    sim.api.add(taken)
    sim.api.add(workload(DEPLOYMENT))
    sim.advance(1)
    assert status(sim)["collisionCount"] == 1
    assert sets(sim)["app:1"] == 3
    assert replica_set(sim, "app:1")["metadata"]["name"] != name


def test_a_refused_pod_shows_in_the_deployment(sim: Simulation) -> None:
    refusal = PermissionDenied("no")
    sim.api.refuse = lambda verb, document: refusal if document["kind"] == "Pod" else None
    sim.api.add(workload(DEPLOYMENT))
    sim.advance(1)
    assert conditions(sim)["ReplicaFailure"] == ("True", "FailedCreate", "no")
    sim.api.refuse = lambda verb, document: None
    sim.advance(30)
    assert "ReplicaFailure" not in conditions(sim)


def test_min_ready_seconds_hold_a_rollout_until_the_pods_have_lasted(sim: Simulation) -> None:
    ready(sim, replicas=2, strategy=rolling(1, 0))
    sim.api.edit(DEPLOYMENT, "web", lambda each: each["spec"].update(minReadySeconds=30))
    sim.settle()
    assert replica_set(sim, "app:1")["spec"]["minReadySeconds"] == 30
    sim.advance(31)
    roll_out(sim, "app:2")
    start_all(sim)
    sim.advance(29)
    assert sets(sim) == {"app:1": 2, "app:2": 1}
    sim.advance(2)
    assert sets(sim) == {"app:1": 1, "app:2": 2}


def test_without_a_deadline_there_is_no_progressing_condition(sim: Simulation) -> None:
    ready(sim, replicas=1, progressDeadlineSeconds=2**31 - 1)
    assert list(conditions(sim)) == ["Available"]


def test_a_selector_of_everything_is_refused_with_a_warning(sim: Simulation) -> None:
    sim.api.add(workload(DEPLOYMENT, selector={}))
    sim.settle()
    message = "This deployment is selecting all pods. A non-empty selector is required."
    assert sim.api.events() == [("Warning", "SelectingAll", message)]
    assert sim.api.all(REPLICA_SET) == []


def test_the_controller_reports_no_change_when_nothing_changed(sim: Simulation) -> None:
    ready(sim, replicas=3)
    before = sim.api.revision
    sim.restart()
    sim.settle()
    assert sim.api.revision == before
