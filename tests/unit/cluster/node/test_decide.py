"""What a node does next for a pod."""

from __future__ import annotations

import msgspec
import pytest
from tests.unit.cluster.node.scenes import NOW, ended, pod, running, situation

from jubako.cluster.node.backoff import LONGEST_S, delay_s, wait_s
from jubako.cluster.node.decide import Kill, Look, MakeSandbox, Remove, Start, Stop, TakeDown, is_over, steps
from jubako.cluster.node.seen import Attempt, Health, Waiting
from jubako.cluster.types.document import Object

A, B, INIT, SIDECAR = ({"name": name} for name in ("a", "b", "init", "side"))
SIDECAR["restartPolicy"] = "Always"


def test_a_new_pod_gets_its_sandbox_first() -> None:
    assert steps(situation(pod(), ready=False)) == [MakeSandbox()]


def test_all_containers_start_side_by_side() -> None:
    assert steps(situation(pod(A, B))) == [Start("a"), Start("b")]
    assert steps(situation(pod(A, B), {"a": [running()]})) == [Start("b")]
    assert steps(situation(pod(A, B), {"a": [running()], "b": [running()]})) == []


def test_init_containers_run_one_after_the_other_and_before_the_rest() -> None:
    second: Object = {"name": "second"}
    whole = pod(A, init=[INIT, second])
    assert steps(situation(whole)) == [Start("init")]
    assert steps(situation(whole, {"init": [running()]})) == []
    assert steps(situation(whole, {"init": [ended()]})) == [Start("second")]
    assert steps(situation(whole, {"init": [ended()], "second": [ended()]})) == [Start("a")]


def test_a_sidecar_lets_the_others_go_on_once_it_has_started_and_comes_again() -> None:
    whole = pod(A, init=[SIDECAR])
    assert steps(situation(whole, {"side": [running()]})) == [Start("a")]
    starting = {"side": Health(attempt="r0", started=False)}
    assert steps(situation(whole, {"side": [running()]}, health=starting)) == []
    assert Start("side") in steps(situation(whole, {"side": [ended()], "a": [running()]}))


@pytest.mark.parametrize(
    ("policy", "code", "again"),
    [("Always", 0, True), ("Always", 1, True), ("OnFailure", 0, False), ("OnFailure", 1, True), ("Never", 1, False)],
)
def test_the_restart_policy_says_whether_a_container_comes_again(policy: str, code: int, again: bool) -> None:
    scene = situation(pod(A, B, restartPolicy=policy), {"a": [ended(code)], "b": [running()]})
    assert (steps(scene) == [Start("a")]) is again


@pytest.mark.parametrize(("policy", "code", "over"), [("Always", 0, False), ("OnFailure", 0, True), ("Never", 1, True)])
def test_a_pod_is_over_when_nothing_comes_again(policy: str, code: int, over: bool) -> None:
    assert is_over(situation(pod(A, restartPolicy=policy), {"a": [ended(code)]})) is over


def test_a_failed_init_container_ends_a_pod_that_never_restarts() -> None:
    scene = situation(pod(A, init=[INIT], restartPolicy="Never"), {"init": [ended(1)]})
    assert is_over(scene)
    assert steps(scene) == [TakeDown()]


def test_a_container_that_fails_again_waits_longer_each_time() -> None:
    waits = [delay_s([ended(1, number) for number in range(n, -1, -1)]) for n in range(8)]
    assert waits == [0, 10, 20, 40, 80, 160, LONGEST_S, LONGEST_S]


def test_one_that_ran_for_long_begins_anew() -> None:
    attempts = [ended(1, 6), ended(1, 5, after=700), *(ended(1, n) for n in range(4, -1, -1))]
    assert delay_s(attempts) == 10


def test_what_could_not_be_started_waits_as_well() -> None:
    attempts = [Attempt(id=f"x{n}", number=n, error="no", finished=NOW) for n in (3, 2)]
    assert delay_s(attempts) == 40


def test_the_wait_is_read_off_what_is_seen() -> None:
    attempts = [ended(1, 1, at=NOW - 4), ended(1, 0)]
    assert wait_s(attempts, NOW) == 6
    assert steps(situation(pod(), {"a": attempts})) == [Look(6)]


def test_an_image_that_could_not_be_had_is_waited_for() -> None:
    held = {"a": Waiting("ImagePullBackOff", "no", NOW + 7)}
    assert steps(situation(pod(), waiting=held)) == [Look(7)]


def test_a_failed_probe_ends_the_attempt_that_it_probed() -> None:
    failed = {"a": Health(attempt="r0", failed="liveness")}
    assert steps(situation(pod(), {"a": [running()]}, health=failed)) == [Kill("a", "r0", "failed liveness probe", 30)]
    assert steps(situation(pod(), {"a": [running(1)]}, health=failed)) == []


def test_a_probe_may_have_a_grace_period_of_its_own() -> None:
    container: Object = {"name": "a", "livenessProbe": {"terminationGracePeriodSeconds": 3}}
    failed = {"a": Health(attempt="r0", failed="liveness")}
    assert steps(situation(pod(container), {"a": [running()]}, health=failed)) == [
        Kill("a", "r0", "failed liveness probe", 3)
    ]


def test_a_container_is_made_anew_when_the_pod_names_another_image() -> None:
    document = pod({"name": "a", "image": "web:2"})
    old = msgspec.structs.replace(running(), wanted="web:1")
    assert steps(situation(document, {"a": [old]})) == [Kill("a", "r0", "definition changed", 30)]
    assert steps(situation(document, {"a": [msgspec.structs.replace(old, wanted="web:2")]})) == []
    failed = [msgspec.structs.replace(ended(1, number), wanted="web:1") for number in (1, 0)]
    assert steps(situation(document, {"a": failed})) == [Start("a")]


def test_sidecars_are_stopped_once_the_rest_has_ended() -> None:
    side: Object = {"name": "side", "restartPolicy": "Always"}
    scene = situation(pod(A, init=[side], restartPolicy="Never"), {"side": [running()], "a": [ended()]})
    assert steps(scene) == [Stop(30)]


def test_a_deleted_pod_is_stopped_with_its_grace_and_then_removed() -> None:
    document = pod()
    document["metadata"] = {**document["metadata"], "deletionTimestamp": "x", "deletionGracePeriodSeconds": 7}  # type: ignore[dict-item]
    assert steps(situation(document, {"a": [running()]})) == [Stop(7)]
    assert steps(situation(document, {"a": [ended()]})) == [Remove()]
    assert steps(situation(document, ready=False)) == [Remove()]


def test_a_deadline_ends_what_runs() -> None:
    assert steps(situation(pod(), {"a": [running()]}, deadline=NOW - 1)) == [Stop(30)]


def test_a_pod_that_failed_is_never_started_again() -> None:
    document = pod()
    document["status"] = {"phase": "Failed"}
    assert steps(situation(document, {"a": [ended(1)]})) == [TakeDown()]
    assert steps(situation(document, {"a": [ended(1)]}, ready=False)) == []


def test_an_attempt_that_could_not_start_has_ended() -> None:
    attempt = Attempt(id="x", number=0, error="no such file")
    assert attempt.ended
    assert steps(situation(pod(restartPolicy="Never"), {"a": [attempt]})) == [TakeDown()]


def test_an_ephemeral_container_is_started_at_once_and_only_once() -> None:
    document = pod(init=[{"name": "i"}], ephemeralContainers=[{"name": "debug"}])
    assert steps(situation(document)) == [Start("debug"), Start("i")]
    for attempt in (running(), ended(), ended(1)):
        assert steps(situation(document, {"debug": [attempt], "i": [running()]})) == []
