"""Conditions of a status: one of each type."""

from __future__ import annotations

from jubako.cluster.objects import Object, objects, stamp, text


def condition(of: Object, type_: str) -> Object | None:
    """Return a condition of an object's status."""
    return next((each for each in objects(of, "status", "conditions") if text(each, "type") == type_), None)


def is_true(of: Object, type_: str) -> bool:
    found = condition(of, type_)
    return found is not None and text(found, "status") == "True"


def without(conditions: list[Object], type_: str) -> list[Object]:
    return [each for each in conditions if text(each, "type") != type_]


def with_condition(
    conditions: list[Object], type_: str, status: str, reason: str, message: str, now: float
) -> list[Object]:
    """Return the list with this condition last. One of the same status and reason stays untouched; the time of the
    transition changes only when the status does."""
    known = next((each for each in conditions if text(each, "type") == type_), None)
    if known and (text(known, "status"), text(known, "reason")) == (status, reason):
        return conditions
    return [*without(conditions, type_), made(type_, status, reason, message, now, known)]


def made(type_: str, status: str, reason: str, message: str, now: float, known: Object | None = None) -> Object:
    """A condition as of now, whose transition is that of `known` when its status is the same."""
    same = known is not None and text(known, "status") == status
    since = text(known, "lastTransitionTime") if known and same else stamp(now)
    entries: Object = {"type": type_, "status": status, "lastTransitionTime": since}
    return entries | {"reason": reason, "message": message}
