"""Events are refused as Kubernetes refuses them."""

from __future__ import annotations

from typing import Any

import pytest

from jubako.cluster.types.document import Object
from jubako.cluster.types.resources import resource
from jubako.cluster.types.validation import validate, validate_update

OLD = {
    "metadata": {"name": "e", "namespace": "n", "resourceVersion": "1", "uid": "u"},
    "regarding": {"kind": "Pod", "namespace": "n", "name": "p"},
    "note": "told", "reason": "R", "type": "Normal",
    "deprecatedSource": {"component": "kubelet"}, "deprecatedCount": 1,
}  # fmt: skip
NEW: dict[str, Any] = {
    **{name: value for name, value in OLD.items() if not name.startswith("deprecated")},
    "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "example.com/c", "reportingInstance": "i",
    "action": "Act",
}  # fmt: skip
SERIES = {"count": 2, "lastObservedTime": "2026-01-01T00:00:00.000000Z"}


def complaints(document: Object, old: Object | None = None, group: str = "events.k8s.io") -> list[str]:
    found = resource(group, "v1", "events")
    assert found is not None
    errors = validate(found.kind, document) if old is None else validate_update(found.kind, document, old)
    return [str(each) for each in errors]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, []),
        ({"eventTime": None}, ["eventTime: Required value"]),
        ({"type": "Odd"}, ['type: Invalid value: "": has invalid value: Odd']),
        ({"action": ""}, ["action: Required value"]),
        ({"reason": "r" * 129}, ['reason: Invalid value: "": can have at most 128 characters']),
        ({"series": {**SERIES, "count": 1}}, ['series.count: Invalid value: "": should be at least 2']),
        ({"deprecatedCount": 1}, ['count: Invalid value: "": needs to be unset']),
    ],
)
def test_a_new_event_says_who_reports_what(change: Any, told: list[str]) -> None:
    assert complaints({**NEW, **change}) == told


def test_only_the_series_of_an_event_changes() -> None:
    assert complaints({**OLD, "series": SERIES}, OLD) == []
    (told,) = complaints({**OLD, "note": "other"}, OLD)
    assert told == 'message: Invalid value: "other": field is immutable'


def test_one_of_the_core_group_says_who_tells_it_when_it_has_a_time() -> None:
    document: Object = {
        "metadata": {"name": "e", "namespace": "n"}, "involvedObject": {"kind": "Pod", "namespace": "n"},
        "eventTime": "2026-01-01T00:00:00.000000Z", "reportingComponent": "c", "reportingInstance": "i",
        "action": "Act", "reason": "R",
    }  # fmt: skip
    assert complaints(document, group="") == []
    assert complaints({**document, "action": ""}, group="") == ["action: Required value"]
