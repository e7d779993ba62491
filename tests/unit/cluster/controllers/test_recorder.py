from __future__ import annotations

from jubako.cluster.controllers.actions import Create, EmitEvent, Patch
from jubako.cluster.controllers.recorder import BURST, REFILL_S, Recorder

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n", "uid": "u"}}


def test_an_event_names_its_object_and_its_source() -> None:
    write = Recorder().record("scheduler", EmitEvent(POD, "Scheduled", "done"), 1_700_000_000.0)
    assert isinstance(write, Create)
    event = write.object
    assert event["involvedObject"] == {"apiVersion": "v1", "kind": "Pod", "namespace": "n", "name": "p", "uid": "u"}
    assert event["source"] == {"component": "scheduler"}
    assert event["count"] == 1
    assert event["type"] == "Normal"


def test_what_is_said_again_is_counted() -> None:
    recorder = Recorder()
    first = recorder.record("c", EmitEvent(POD, "r", "m"), 1.0)
    again = recorder.record("c", EmitEvent(POD, "r", "m"), 2.0)
    assert isinstance(first, Create)
    assert isinstance(again, Patch)
    assert again.merge["count"] == 2
    assert isinstance(recorder.record("c", EmitEvent(POD, "r", "other"), 3.0), Create)


def test_what_was_counted_and_has_expired_is_told_anew() -> None:
    recorder = Recorder()
    recorder.record("c", EmitEvent(POD, "r", "m"), 1.0)
    again = recorder.record("c", EmitEvent(POD, "r", "m"), 2.0)
    assert isinstance(again, Patch)
    recorder.lost(again.key)
    assert isinstance(recorder.record("c", EmitEvent(POD, "r", "m"), 3.0), Create)


def test_one_object_gets_no_flood() -> None:
    recorder = Recorder()
    told = [recorder.record("c", EmitEvent(POD, "r", str(number)), 1.0) for number in range(BURST + 5)]
    assert sum(each is not None for each in told) == BURST
    assert recorder.record("c", EmitEvent(POD, "r", "later"), 1.0 + REFILL_S) is not None
