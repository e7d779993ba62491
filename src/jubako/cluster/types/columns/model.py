"""Columns: their names, and the function that fills the cells of a row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from jubako.cluster.types.columns.ages import age
from jubako.cluster.types.document import JSON, Object, array, at, mapping, objects, strings, text

Cells = Callable[[Object, datetime], list[JSON]]
NONE, UNSET, UNKNOWN = "<none>", "<unset>", "<unknown>"


class Columns(msgspec.Struct, frozen=True):
    """The columns of a kind. A name is written `Name`, `Name:integer` for another type, `Name+` for -o wide only."""

    names: tuple[str, ...]
    cells: Cells
    conditions: Callable[[Object], list[JSON]] | None = None


def definitions(columns: Columns) -> list[JSON]:
    return [_definition(name) for name in columns.names]


def _definition(written: str) -> Object:
    name, _, kind = written.rstrip("+").partition(":")
    return {
        "name": name,
        "type": kind or "string",
        "format": "name" if name == "Name" else "",
        "description": "",
        "priority": int(written.endswith("+")),
    }


def name(document: Object) -> str:
    return text(at(document, "metadata", "name"))


def created(document: Object, now: datetime) -> str:
    """Return the age of an object."""
    return age(at(document, "metadata", "creationTimestamp"), now)


def labels(value: JSON) -> str:
    """Return labels as `a=b,c=d`."""
    return ",".join(f"{key}={item}" for key, item in sorted(strings(value).items())) or NONE


def selector(value: JSON) -> str:
    """Return a LabelSelector as people write it."""
    parts = [(key, f"{key}={item}") for key, item in strings(mapping(value).get("matchLabels")).items()]
    for requirement in objects(mapping(value).get("matchExpressions")):
        key = text(requirement.get("key"))
        listed = ",".join(sorted(text(item) for item in array(requirement.get("values"))))
        match requirement.get("operator"):
            case "In":
                parts.append((key, f"{key} in ({listed})"))
            case "NotIn":
                parts.append((key, f"{key} notin ({listed})"))
            case "Exists":
                parts.append((key, key))
            case "DoesNotExist":
                parts.append((key, f"!{key}"))
    return ",".join(written for _, written in sorted(parts)) or NONE


def containers(template: JSON) -> list[JSON]:
    """Return the names and the images of the containers of a template."""
    found = objects(at(template, "spec", "containers"))
    return [",".join(text(each.get(field)) for each in found) for field in ("name", "image")]


def true_or_false(value: JSON) -> str:
    return UNSET if value is None else str(bool(value))


def condition(document: Object, kind: str) -> str:
    """Return the status of a condition (True, False, Unknown), or "" if there is none."""
    found = (each for each in objects(at(document, "status", "conditions")) if each.get("type") == kind)
    return next((text(each.get("status")) for each in found), "")


DEFAULT = Columns(("Name", "Age"), lambda document, now: [name(document), created(document, now)])
