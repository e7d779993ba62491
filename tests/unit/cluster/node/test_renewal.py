"""When a pod's volumes are written again."""

from __future__ import annotations

from jubako.cluster.node.volumes.references import POD, TOKEN, Source
from jubako.cluster.node.volumes.renewal import Renewal
from jubako.cluster.types.document import Object

CONFIG = Source("ConfigMap", "settings")
MADE_OF_CONFIG: Object = {"spec": {"volumes": [{"name": "v", "configMap": {"name": "settings"}}]}}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def written(left_s: float = 50.0) -> tuple[Renewal, Clock]:
    clock = Clock()
    renewal = Renewal(MADE_OF_CONFIG, clock)
    renewal.take()
    renewal.written(left_s)
    return renewal, clock


def test_at_first_everything_may_have_changed() -> None:
    renewal = Renewal(MADE_OF_CONFIG, Clock())
    assert renewal.is_due()
    assert renewal.take() is None


def test_what_is_written_stays_until_its_time() -> None:
    renewal, clock = written(50)
    assert (renewal.is_due(), renewal.left_s()) == (False, 50)
    clock.now += 50
    assert renewal.is_due()
    assert renewal.take() == {TOKEN}


def test_only_what_has_changed_is_taken_and_once() -> None:
    renewal, _ = written()
    renewal.note(CONFIG)
    renewal.note_pod()
    assert renewal.take() == {CONFIG, POD}
    assert not renewal.is_due()


def test_who_does_not_know_what_changed_takes_all() -> None:
    renewal, _ = written()
    renewal.note(None)
    renewal.note(CONFIG)
    assert renewal.take() is None


def test_a_pod_knows_what_it_is_made_of() -> None:
    renewal, _ = written()
    assert renewal.is_made_of(CONFIG)
    assert not renewal.is_made_of(Source("Secret", "settings"))
