"""Documents: plain JSON values, and the few ways to look into them.

The readers never fail: what is absent, null or of another type reads as empty. Whether it may be so is for
validation to say.
"""

from __future__ import annotations

from typing import TypeAlias

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
Object: TypeAlias = "dict[str, JSON]"


def mapping(value: JSON) -> Object:
    """Return the object that `value` is, or an empty one that is not part of the document."""
    return value if isinstance(value, dict) else {}


def array(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else []


def objects(value: JSON) -> list[Object]:
    """Return the objects among the items of a list."""
    return [item for item in array(value) if isinstance(item, dict)]


def text(value: JSON) -> str:
    return value if isinstance(value, str) else ""


def integer(value: JSON, absent: int = 0) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else absent


def at(value: JSON, *path: str) -> JSON:
    """Return what stands at the end of a path of field names, or None."""
    for name in path:
        value = mapping(value).get(name)
    return value


def child(parent: Object, name: str) -> Object:
    """Return the object in a field, which is made when there is none."""
    value = parent.get(name)
    if not isinstance(value, dict):
        value = parent[name] = {}
    return value


def strings(value: JSON) -> dict[str, str]:
    """Return the entries of a map whose values are strings (labels, annotations, a selector)."""
    return {key: item for key, item in mapping(value).items() if isinstance(item, str)}
