"""Checks of events: those of the core group, and those of events.k8s.io, which say more of who reports what.

Spec: k8s.io/kubernetes/pkg/apis/core/validation/events.go, as of 1.32.
"""

from __future__ import annotations

from jubako.cluster.types.document import Object, integer, mapping, text
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.names import qualified_name

_LONGEST, _LONGEST_NOTE = 128, 1024
_MISMATCH = "does not match event.namespace"
# By the names that errors have for them: those of the core group, and the fields of events.k8s.io.
_SAME = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    **{f"{each}Timestamp": f"deprecated{each.capitalize()}Timestamp" for each in ("first", "last")},
    "count": "deprecatedCount",
    **{each: each for each in ("reason", "type", "eventTime", "action", "related")},
    **{each: each for each in ("reportingController", "reportingInstance")},
}


def event(errors: Errors, document: Object) -> None:
    """Check what holds for every event: it is where what it is about is; one with an eventTime says who tells it."""
    about = mapping(document.get("involvedObject") or document.get("regarding"))
    where, namespace = text(mapping(document.get("metadata")).get("namespace")), text(about.get("namespace"))
    if not document.get("eventTime"):
        if where != (namespace or "default"):
            errors.invalid("involvedObject.namespace", namespace, _MISMATCH)
        return
    if not namespace and where not in ("default", "kube-system"):
        errors.invalid("involvedObject.namespace", namespace, _MISMATCH)
    controller = text(document.get("reportingComponent") or document.get("reportingController"))
    if not controller:
        errors.required("reportingController")
    errors.invalid_each("reportingController", controller, qualified_name(controller))
    for name in ("reportingInstance", "action", "reason"):
        if not document.get(name):
            errors.required(name)
        _at_most(errors, name, text(document.get(name)), _LONGEST)
    _at_most(errors, "message", text(document.get("message") or document.get("note")), _LONGEST_NOTE)


def new_event(errors: Errors, document: Object) -> None:
    """Check one of events.k8s.io that is made."""
    _series(errors, document)
    if not document.get("eventTime"):
        errors.required("eventTime")
    if document.get("type") not in ("Normal", "Warning"):
        errors.invalid("type", "", f"has invalid value: {text(document.get('type'))}")
    for name, field in _SAME.items():
        if field.startswith("deprecated") and any(_values(document.get(field))):
            errors.invalid(name, "", "needs to be unset")


def new_event_update(errors: Errors, document: Object, old: Object) -> None:
    """Only the series of one of events.k8s.io changes."""
    if document.get("series") != old.get("series"):
        _series(errors, document)
    for name, field in _SAME.items():
        if (document.get(field) or None) != (old.get(field) or None):
            errors.unchanged(name, document.get(field), old.get(field))


def _values(value: object) -> list[object]:
    return list(value.values()) if isinstance(value, dict) else [value]


def _series(errors: Errors, document: Object) -> None:
    if document.get("series") is None:
        return
    series = mapping(document["series"])
    if integer(series.get("count")) < 2:
        errors.invalid("series.count", "", "should be at least 2")
    if not series.get("lastObservedTime"):
        errors.required("series.lastObservedTime")


def _at_most(errors: Errors, path: str, value: str, most: int) -> None:
    if len(value.encode()) > most:
        errors.invalid(path, "", f"can have at most {most} characters")
