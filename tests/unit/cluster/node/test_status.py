"""What a node tells of a pod."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.node.scenes import NOW, ended, pod, running, situation

from jubako.cluster.node.seen import Attempt, Health, Refusal, Waiting
from jubako.cluster.node.status import status
from jubako.cluster.types.document import Object, at, objects


def told(document: Object, attempts: dict[str, list[Attempt]] | None = None, **more: Any) -> Object:
    return status(situation(document, attempts, **more), host="10.0.0.1")


def state(found: Object, at_: int = 0, group: str = "containerStatuses") -> Any:
    return objects(found[group])[at_]["state"]


def conditions(found: Object) -> dict[Any, Any]:
    return {each["type"]: each["status"] for each in objects(found["conditions"])}


def whole_conditions(found: Object) -> dict[Any, Any]:
    return {each["type"]: each for each in objects(found["conditions"])}


@pytest.mark.parametrize(
    ("policy", "attempts", "phase"),
    [
        ("Always", [], "Pending"),
        ("Always", [running()], "Running"),
        ("Always", [ended(1)], "Running"),
        ("Never", [ended(0)], "Succeeded"),
        ("Never", [ended(3)], "Failed"),
        ("OnFailure", [ended(3)], "Running"),
        ("OnFailure", [ended(0)], "Succeeded"),
    ],
)
def test_the_phase_says_where_a_pod_is_in_its_life(policy: str, attempts: list[Attempt], phase: str) -> None:
    assert told(pod(restartPolicy=policy), {"a": attempts})["phase"] == phase


def test_a_running_container_is_ready_and_so_is_its_pod() -> None:
    found = told(pod(), {"a": [running()]})
    assert conditions(found) == dict.fromkeys(
        ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"), "True"
    )
    assert (found["podIP"], found["hostIP"]) == ("10.0.0.2", "10.0.0.1")
    assert state(found) == {"running": {"startedAt": "1970-01-12T13:46:35Z"}}


def test_an_unready_container_is_named() -> None:
    found = told(pod(), {"a": [running()]}, health={"a": Health(attempt="r0", ready=False)})
    ready = next(each for each in objects(found["conditions"]) if each["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "ContainersNotReady")
    assert ready["message"] == "containers with unready status: [a]"


def test_a_container_that_waits_to_come_again_shows_how_it_ended() -> None:
    found = told(pod(), {"a": [ended(3, 1), ended(3, 0)]})
    assert state(found)["waiting"] == {
        "reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container=a pod=p_n(u)",
    }  # fmt: skip
    (container,) = objects(found["containerStatuses"])
    assert (container["restartCount"], at(container, "lastState", "terminated", "exitCode")) == (1, 3)


def test_a_container_that_has_ended_for_good_shows_the_attempt_before_as_its_last_state() -> None:
    found = told(pod(restartPolicy="OnFailure"), {"a": [ended(0, 1), ended(3, 0)]})
    (container,) = objects(found["containerStatuses"])
    assert at(container, "state", "terminated", "exitCode") == 0
    assert at(container, "lastState", "terminated", "exitCode") == 3


def test_a_container_that_ended_well_comes_again_too() -> None:
    found = told(pod(), {"a": [ended(0, 1), ended(0, 0)]})
    assert state(found)["waiting"]["reason"] == "CrashLoopBackOff"


def test_what_keeps_a_container_from_starting_is_told() -> None:
    held = {"a": Waiting("ErrImagePull", "no such image")}
    assert state(told(pod(), waiting=held)) == {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}
    assert state(told(pod())) == {"waiting": {"reason": "ContainerCreating"}}


def test_containers_wait_for_those_that_initialize() -> None:
    found = told(pod(init=[{"name": "init"}]), {"init": [running()]})
    assert found["phase"] == "Pending"
    assert state(found) == {"waiting": {"reason": "PodInitializing"}}
    assert conditions(found)["Initialized"] == "False"


def test_times_of_conditions_stay_while_they_hold() -> None:
    document = pod()
    first = told(document, {"a": [running()]})
    document["status"] = first
    again = status(situation(document, {"a": [running()]}, ready=True), host="10.0.0.1")
    assert again == first


def test_conditions_of_others_stay() -> None:
    document = pod()
    document["status"] = {"conditions": [{"type": "PodScheduled", "status": "True"}]}
    assert conditions(told(document, {"a": [running()]}))["PodScheduled"] == "True"


def test_a_pod_past_its_deadline_has_failed_once_nothing_of_it_runs() -> None:
    document = pod()
    document["status"] = {"phase": "Running"}
    assert told(document, {"a": [running()]}, deadline=NOW - 1)["phase"] == "Running"
    found = told(document, {"a": [ended(137)]}, deadline=NOW - 1)
    assert (found["phase"], found["reason"]) == ("Failed", "DeadlineExceeded")
    assert found["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137


def test_a_pod_has_not_ended_while_a_sidecar_runs() -> None:
    side: Object = {"name": "side", "restartPolicy": "Always"}
    document = pod(init=[side], restartPolicy="Never")
    document["status"] = {"phase": "Running"}
    assert told(document, {"side": [running()], "a": [ended()]})["phase"] == "Running"
    assert told(document, {"side": [ended()], "a": [ended()]})["phase"] == "Succeeded"


def test_a_pod_that_is_refused_has_failed_and_has_no_containers() -> None:
    found = told(pod(), refusal=Refusal("SysctlForbidden", "why"))
    assert (found["phase"], found["reason"], found["message"]) == ("Failed", "SysctlForbidden", "Pod was rejected: why")
    assert "containerStatuses" not in found


def test_what_could_not_be_started_has_an_exit_code_and_times() -> None:
    attempt = Attempt(id="x", number=0, error="no such file", exit_code=127, finished=NOW, reason="StartError")
    found = state(told(pod(restartPolicy="Never"), {"a": [attempt]}))["terminated"]
    assert (found["exitCode"], found["reason"], found["message"]) == (128, "StartError", "no such file")
    assert found["startedAt"] == "1970-01-01T00:00:00Z"


def test_readiness_gates_are_named() -> None:
    document = pod(readinessGates=[{"conditionType": "x/there"}, {"conditionType": "x/none"}])
    document["status"] = {"conditions": [{"type": "x/there", "status": "False"}]}
    found = whole_conditions(told(document, {"a": [running()]}))
    assert found["ContainersReady"]["status"] == "True"
    assert (found["Ready"]["status"], found["Ready"]["reason"]) == ("False", "ReadinessGatesNotReady")
    assert found["Ready"]["message"] == (
        'the status of pod readiness gate "x/there" is not "True", but False, '
        'corresponding condition of pod readiness gate "x/none" does not exist.'
    )


@pytest.mark.parametrize(("code", "reason"), [(0, "PodCompleted"), (1, "PodFailed")])
def test_the_conditions_of_a_pod_that_has_ended_say_how(code: int, reason: str) -> None:
    found = whole_conditions(told(pod(restartPolicy="Never"), {"a": [ended(code)]}))
    assert [found[kind]["reason"] for kind in ("Ready", "ContainersReady")] == [reason, reason]
    assert found["Initialized"]["status"] == "True"


def test_mounts_are_told() -> None:
    mounts: list[Object] = [
        {"name": "v", "mountPath": "/v"},
        {"name": "r", "mountPath": "/r", "readOnly": True, "recursiveReadOnly": "IfPossible"},
    ]
    container: Object = {"name": "a", "volumeMounts": [*mounts]}
    assert told(pod(container), {"a": [running()]})["containerStatuses"][0]["volumeMounts"] == [
        {"name": "v", "mountPath": "/v"},
        {"name": "r", "mountPath": "/r", "readOnly": True, "recursiveReadOnly": "Enabled"},
    ]


def test_how_a_container_ended_is_told() -> None:
    attempt = Attempt(id="x", number=0, started=NOW - 2, finished=NOW - 1, exit_code=137, reason="OOMKilled")
    found = told(pod(restartPolicy="Never"), {"a": [attempt]})
    assert (found["phase"], state(found)["terminated"]["reason"]) == ("Failed", "OOMKilled")
