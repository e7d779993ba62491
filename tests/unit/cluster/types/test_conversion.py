"""An event is the same in both versions of the API."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.cluster.generated import generated

from jubako.cluster.types.conversion import convert, stored
from jubako.cluster.types.decoding.body import conform
from jubako.cluster.types.resources import kind


def test_an_event_changes_the_names_of_its_fields() -> None:
    new, core = kind("events.k8s.io/v1", "Event"), kind("v1", "Event")
    assert new
    assert core
    assert (stored(new), stored(core)) == (core, core)
    event: Any = {
        "kind": "Event",
        "apiVersion": "events.k8s.io/v1",
        "note": "n",
        "regarding": {"name": "p"},
        "type": "Normal",
    }
    found = convert(event, core)
    assert found == {
        "kind": "Event",
        "apiVersion": "v1",
        "message": "n",
        "involvedObject": {"name": "p"},
        "type": "Normal",
    }
    assert convert(found, new) == event
    assert convert(found, core) is found


def test_an_older_version_is_the_same_object() -> None:
    old, new = kind("batch/v1beta1", "CronJob"), kind("batch/v1", "CronJob")
    assert old
    assert new
    assert (stored(old), stored(new)) == (new, new)
    document, _ = conform(old, {"spec": {"schedule": "@daily"}})
    assert convert(document, new) == {**document, "apiVersion": "batch/v1"}


@given(seed=st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_an_event_keeps_everything_in_the_other_version(seed: int) -> None:
    new, core = kind("events.k8s.io/v1", "Event"), kind("v1", "Event")
    assert new
    assert core
    document, _ = conform(new, generated(new, seed))
    converted, problems = conform(core, convert(document, core))
    assert problems == []
    assert conform(new, convert(converted, new)) == (document, [])
