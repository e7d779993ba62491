from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.simulation import Simulation, end_pod, is_active, run_pod, stamp

from jubako.cluster.controllers import job, ttl
from jubako.cluster.controllers.job import indexes
from jubako.cluster.controllers.kinds import JOB, POD

TRACKING = "batch.kubernetes.io/job-tracking"


@pytest.fixture
def sim() -> Simulation:
    return Simulation([job.CONTROLLER, job.ORPHANS, ttl.CONTROLLER])


def make(sim: Simulation, **spec: Any) -> None:
    labels = {"batch.kubernetes.io/job-name": "j"}
    container = {"name": "main", "image": "app"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], "restartPolicy": "Never"}}
    wanted = {"selector": {"matchLabels": labels}, "template": template, "backoffLimit": 6, **spec}
    wanted.setdefault("parallelism", 1)
    sim.api.add({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": wanted})
    sim.settle()


def active(sim: Simulation) -> list[dict[str, Any]]:
    return [pod for pod in sim.api.all(POD) if is_active(pod)]


def status(sim: Simulation) -> dict[str, Any]:
    found: dict[str, Any] = sim.api.find(JOB, "j")["status"]
    return found


def conditions(sim: Simulation) -> dict[str, tuple[str, str, str]]:
    known = status(sim).get("conditions", [])
    return {each["type"]: (each["status"], each.get("reason", ""), each.get("message", "")) for each in known}


def end(sim: Simulation, phase: str = "Succeeded", pod: dict[str, Any] | None = None, code: int = 1) -> None:
    pod = pod or active(sim)[0]
    if not pod["spec"].get("nodeName"):
        run_pod(sim.api, pod)
    end_pod(sim.api, pod, phase, 0 if phase == "Succeeded" else code)
    sim.settle()


def test_a_job_runs_one_pod_to_its_end_and_is_complete(sim: Simulation) -> None:
    make(sim, completions=1)
    (pod,) = active(sim)
    assert pod["metadata"]["finalizers"] == [TRACKING]
    assert pod["metadata"]["labels"]["batch.kubernetes.io/controller-uid"] == sim.api.find(JOB, "j")["metadata"]["uid"]
    assert pod["metadata"]["labels"]["job-name"] == "j"
    end(sim)
    words = ("True", "CompletionsReached", "Reached expected number of succeeded pods")
    assert conditions(sim) == {"SuccessCriteriaMet": words, "Complete": words}
    assert status(sim)["succeeded"] == 1
    assert status(sim)["uncountedTerminatedPods"] == {}
    assert status(sim)["completionTime"] == stamp(sim.clock.now())
    assert "finalizers" not in sim.api.all(POD)[0]["metadata"]
    assert ("Normal", "Completed", "Job completed") in sim.api.events()


def test_parallelism_bounds_what_runs_and_completions_what_is_made(sim: Simulation) -> None:
    make(sim, completions=5, parallelism=2)
    made = set()
    for _ in range(5):
        assert len(active(sim)) <= 2
        made |= {pod["metadata"]["uid"] for pod in sim.api.all(POD)}
        end(sim)
    assert len(sim.api.all(POD)) == 5
    assert status(sim)["succeeded"] == 5
    assert "Complete" in conditions(sim)


def test_a_work_queue_makes_no_more_once_one_has_succeeded_and_ends_with_the_last(sim: Simulation) -> None:
    make(sim, parallelism=3)
    end(sim)
    assert len(active(sim)) == 2
    assert "Complete" not in conditions(sim)
    end(sim)
    end(sim)
    assert "Complete" in conditions(sim)
    assert len(sim.api.all(POD)) == 3


def test_indexed_pods_have_their_index_and_each_is_completed_once(sim: Simulation) -> None:
    make(sim, completions=3, parallelism=3, completionMode="Indexed")
    pods = sorted(active(sim), key=lambda pod: pod["spec"]["hostname"])
    assert [pod["spec"]["hostname"] for pod in pods] == ["j-0", "j-1", "j-2"]
    assert pods[1]["metadata"]["annotations"] == {indexes.INDEX: "1"}
    assert pods[1]["metadata"]["generateName"] == "j-1-"
    (env,) = pods[1]["spec"]["containers"][0]["env"]
    assert env["name"] == "JOB_COMPLETION_INDEX"
    end(sim, "Succeeded", pods[0])
    end(sim, "Failed", pods[1])
    sim.advance(11)
    assert sorted(pod["spec"]["hostname"] for pod in active(sim)) == ["j-1", "j-2"]
    assert status(sim)["completedIndexes"] == "0"
    while active(sim):
        end(sim)
    assert status(sim)["completedIndexes"] == "0-2"
    assert status(sim)["failed"] == 1
    assert "Complete" in conditions(sim)


def test_failures_wait_longer_each_time_until_the_limit_is_reached(sim: Simulation) -> None:
    make(sim, completions=1, backoffLimit=2)
    for wait in (10, 20):
        end(sim, "Failed")
        sim.advance(wait - 1)
        assert active(sim) == []
        sim.advance(1)
        assert len(active(sim)) == 1
    end(sim, "Failed")
    words = ("True", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    assert conditions(sim) == {"FailureTarget": words, "Failed": words}
    assert status(sim)["failed"] == 3
    assert ("Warning", "BackoffLimitExceeded", words[2]) in sim.api.events()


def test_restarts_in_place_count_against_the_limit(sim: Simulation) -> None:
    template = {
        "metadata": {"labels": {"batch.kubernetes.io/job-name": "j"}},
        "spec": {"containers": [{"name": "main", "image": "app"}], "restartPolicy": "OnFailure"},
    }
    make(sim, completions=1, backoffLimit=2, template=template)
    run_pod(sim.api, active(sim)[0])
    sim.api.change(sim.api.all(POD)[0], containerStatuses=[{"name": "main", "restartCount": 2}])
    sim.settle()
    assert conditions(sim)["FailureTarget"][1] == "BackoffLimitExceeded"


def test_a_deadline_ends_a_job_and_its_pods(sim: Simulation) -> None:
    make(sim, completions=1, activeDeadlineSeconds=30)
    run_pod(sim.api, active(sim)[0])
    sim.advance(29)
    assert conditions(sim) == {}
    sim.advance(2)
    assert active(sim) == []
    sim.api.gone(sim.api.all(POD)[0]) if sim.api.all(POD) else None
    sim.settle()
    assert conditions(sim)["Failed"] == ("True", "DeadlineExceeded", "Job was active longer than specified deadline")


def test_suspending_takes_pods_away_without_counting_them_and_resuming_starts_the_time_anew(sim: Simulation) -> None:
    make(sim, completions=1, activeDeadlineSeconds=30)
    run_pod(sim.api, active(sim)[0])
    sim.api.edit(JOB, "j", lambda each: each["spec"].update(suspend=True))
    sim.settle()
    sim.api.gone(sim.api.all(POD)[0])
    sim.advance(100)
    assert conditions(sim) == {"Suspended": ("True", "JobSuspended", "Job suspended")}
    assert "startTime" not in status(sim)
    assert "failed" not in status(sim)
    sim.api.edit(JOB, "j", lambda each: each["spec"].update(suspend=False))
    sim.advance(1)
    assert conditions(sim)["Suspended"] == ("False", "JobResumed", "Job resumed")
    assert status(sim)["startTime"] == stamp(sim.clock.now() - 1)
    assert len(active(sim)) == 1
    reasons = [reason for _, reason, _ in sim.api.events()]
    assert "Suspended" in reasons
    assert "Resumed" in reasons


def policy(action: str, operator: str = "In") -> dict[str, Any]:
    return {"rules": [{"action": action, "onExitCodes": {"operator": operator, "values": [42]}}]}


def test_a_failure_policy_fails_the_job_by_exit_code(sim: Simulation) -> None:
    make(sim, completions=1, podFailurePolicy=policy("FailJob"))
    name = active(sim)[0]["metadata"]["name"]
    end(sim, "Failed", code=42)
    assert conditions(sim)["Failed"] == (
        "True",
        "PodFailurePolicy",
        f"Container main for pod default/{name} failed with exit code 42 matching FailJob rule at index 0",
    )


def test_a_failure_policy_ignores_what_it_is_told_to(sim: Simulation) -> None:
    rules = [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]
    make(sim, completions=1, backoffLimit=0, podFailurePolicy={"rules": rules})
    (pod,) = active(sim)
    run_pod(sim.api, pod)
    conditions_ = [{"type": "DisruptionTarget", "status": "True", "lastTransitionTime": stamp(sim.clock.now())}]
    sim.api.change(pod, phase="Failed", conditions=conditions_)
    sim.advance(20)
    assert "failed" not in status(sim)
    assert len(active(sim)) == 1


def test_a_failure_that_no_rule_matches_counts(sim: Simulation) -> None:
    make(sim, completions=1, backoffLimit=0, podFailurePolicy=policy("Ignore"))
    end(sim, "Failed", code=1)
    assert conditions(sim)["Failed"][1] == "BackoffLimitExceeded"


@pytest.mark.parametrize(
    ("rule", "ends_at"),
    [
        ({"succeededIndexes": "1,3"}, 3),
        ({"succeededCount": 2}, 1),
        ({"succeededIndexes": "1-3", "succeededCount": 1}, 1),
    ],
)
def test_a_success_policy_ends_a_job_and_the_pods_that_still_run(
    sim: Simulation, rule: dict[str, Any], ends_at: int
) -> None:
    policy_ = {"rules": [{"succeededIndexes": "5"}, rule]}
    make(sim, completions=6, parallelism=6, completionMode="Indexed", successPolicy=policy_)
    pods = sorted(active(sim), key=indexes.index_of)
    for place, pod in enumerate(pods[: ends_at + 1]):
        assert "SuccessCriteriaMet" not in conditions(sim), place
        end(sim, "Succeeded", pod)
    assert conditions(sim)["Complete"] == ("True", "SuccessPolicy", "Matched rules at index 1")
    assert active(sim) == []
    assert status(sim)["succeeded"] == ends_at + 1


def of_index(sim: Simulation, index: int) -> dict[str, Any]:
    (found,) = [pod for pod in active(sim) if indexes.index_of(pod) == index]
    return found


def per_index(sim: Simulation, **spec: Any) -> None:
    make(sim, completionMode="Indexed", backoffLimitPerIndex=1, backoffLimit=2**31 - 1, **spec)


def test_each_index_has_its_own_limit_and_waits_by_itself(sim: Simulation) -> None:
    per_index(sim, completions=2, parallelism=2)
    end(sim, "Failed", of_index(sim, 0))
    assert [indexes.index_of(pod) for pod in active(sim)] == [1]
    sim.restart()
    sim.advance(11)
    again = of_index(sim, 0)
    assert again["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"] == "1"
    end(sim, "Failed", again)
    sim.advance(100)
    assert [indexes.index_of(pod) for pod in active(sim)] == [1]
    assert status(sim)["failedIndexes"] == "0"
    end(sim, "Succeeded", of_index(sim, 1))
    assert conditions(sim)["Failed"] == ("True", "FailedIndexes", "Job has failed indexes")
    assert status(sim)["completedIndexes"] == "1"
    assert status(sim)["failed"] == 2
    assert all("finalizers" not in pod["metadata"] for pod in sim.api.all(POD))


def test_the_last_failed_pod_of_an_index_stays_until_its_successor_knows_the_number(sim: Simulation) -> None:
    per_index(sim, completions=1)
    failed = of_index(sim, 0)
    end(sim, "Failed", failed)
    sim.api.remove(failed)
    sim.settle()
    assert len(sim.api.all(POD)) == 1
    sim.advance(11)
    assert [pod["metadata"]["uid"] == failed["metadata"]["uid"] for pod in sim.api.all(POD)] == [False]
    assert status(sim)["failed"] == 1


def test_too_many_failed_indexes_fail_the_job(sim: Simulation) -> None:
    per_index(sim, completions=3, parallelism=3, maxFailedIndexes=0, podFailurePolicy=policy("FailIndex"))
    end(sim, "Failed", of_index(sim, 1), code=42)
    assert conditions(sim)["FailureTarget"][1] == "MaxFailedIndexesExceeded"
    assert status(sim)["failedIndexes"] == "1"


def test_less_parallelism_takes_away_pods_that_are_not_counted(sim: Simulation) -> None:
    make(sim, completions=10, parallelism=4)
    sim.api.edit(JOB, "j", lambda each: each["spec"].update(parallelism=1))
    sim.settle()
    assert len(active(sim)) == 1
    assert "failed" not in status(sim)


def test_a_pod_somebody_deletes_counts_as_failed_and_is_replaced_at_once_or_when_it_has_ended(sim: Simulation) -> None:
    make(sim, completions=1, podReplacementPolicy="Failed")
    run_pod(sim.api, active(sim)[0])
    sim.api.remove(active(sim)[0])
    sim.advance(60)
    assert active(sim) == []
    assert status(sim)["terminating"] == 1
    sim.api.gone(sim.api.all(POD)[0])
    sim.advance(60)
    assert len(active(sim)) == 1
    assert status(sim)["failed"] == 1


def test_a_finished_job_goes_when_its_time_to_live_is_over(sim: Simulation) -> None:
    make(sim, completions=1, ttlSecondsAfterFinished=100)
    end(sim)
    sim.advance(99)
    assert "deletionTimestamp" not in sim.api.find(JOB, "j")["metadata"]
    sim.advance(2)
    assert "deletionTimestamp" in sim.api.find(JOB, "j")["metadata"]


def test_pods_of_a_job_that_is_gone_are_let_go(sim: Simulation) -> None:
    make(sim, completions=1)
    run_pod(sim.api, active(sim)[0])
    sim.api.remove(active(sim)[0])
    sim.api.gone(sim.api.all(POD)[0])
    sim.api.remove(sim.api.find(JOB, "j"))
    sim.settle()
    assert sim.api.all(POD) == []


@pytest.mark.parametrize("written", ["", "0", "0-2,5", "1,3-4"])
def test_indexes_are_read_as_they_are_written(written: str) -> None:
    assert indexes.render(indexes.parse(written)) == written


def test_indexes_join_runs() -> None:
    assert indexes.render({3, 1, 2, 7, 0}) == "0-3,7"
