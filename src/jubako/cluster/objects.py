"""Documents of the API as plain JSON values, and small typed ways to look into them.

Model:     an object is a dict as decoded from JSON. Readers never fail: what is absent, null or of another type reads
           as empty; that it may not be so is for validation to say.
Invariant: nothing here changes an object that it is given; `put` and `drop` return a copy that shares the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from jubako.cluster.types import times
from jubako.cluster.types.document import JSON as JSON
from jubako.cluster.types.document import Object as Object
from jubako.cluster.types.document import at as at
from jubako.errors import InvalidArgument

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")


def text(value: JSON, *path: str) -> str:
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def number(value: JSON, *path: str, absent: int = 0) -> int:
    found = at(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else absent


def flag(value: JSON, *path: str) -> bool:
    return at(value, *path) is True


def mapping(value: JSON, *path: str) -> Object:
    found = at(value, *path)
    return found if isinstance(found, dict) else {}


def objects(value: JSON, *path: str) -> list[Object]:
    """Return the objects among the items of a list."""
    found = at(value, *path)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def words(value: JSON, *path: str) -> list[str]:
    """Return the strings among the items of a list."""
    found = at(value, *path)
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def integers(value: JSON, *path: str) -> list[int]:
    """Return the whole numbers among the items of a list."""
    found = at(value, *path)
    return [item for item in found if isinstance(item, int)] if isinstance(found, list) else []


def strings(value: JSON, *path: str) -> dict[str, str]:
    """Return the entries of a map whose values are strings (labels, annotations, a selector)."""
    return {key: item for key, item in mapping(value, *path).items() if isinstance(item, str)}


def listed(items: list[Object] | list[str]) -> JSON:
    """The same list as a value of a document (lists are invariant to the type checker)."""
    return [*items]


def put(value: Object, item: JSON, *path: str) -> Object:
    """Return a copy of `value` with `item` at the path."""
    head, *rest = path
    return {**value, head: put(mapping(value, head), item, *rest) if rest else item}


def drop(value: Object, *path: str) -> Object:
    """Return a copy of `value` without what stands at the path."""
    head, *rest = path
    if rest:
        return put(value, drop(mapping(value, head), *rest), head) if head in value else value
    return {key: item for key, item in value.items() if key != head}


def name(of: Object) -> str:
    return text(of, "metadata", "name")


def namespace(of: Object) -> str:
    return text(of, "metadata", "namespace")


def uid(of: Object) -> str:
    return text(of, "metadata", "uid")


def resource_version(of: Object) -> str:
    return text(of, "metadata", "resourceVersion")


def generation(of: Object) -> int:
    return number(of, "metadata", "generation")


def labels(of: Object) -> dict[str, str]:
    return strings(of, "metadata", "labels")


def annotated(of: Object) -> dict[str, str]:
    return strings(of, "metadata", "annotations")


def finalizers(of: Object) -> list[str]:
    return words(of, "metadata", "finalizers")


def is_deleting(of: Object) -> bool:
    return bool(text(of, "metadata", "deletionTimestamp"))


def owner_references(of: Object) -> list[Object]:
    return objects(of, "metadata", "ownerReferences")


def controller_of(of: Object) -> Object | None:
    """Return the one owner reference that says it controls the object."""
    return next((reference for reference in owner_references(of) if flag(reference, "controller")), None)


def is_controlled_by(of: Object, owner: Object) -> bool:
    reference = controller_of(of)
    return reference is not None and text(reference, "uid") == uid(owner)


def owner_reference(owner: Object) -> Object:
    """Return the reference by which `owner` controls another object."""
    return {
        "apiVersion": text(owner, "apiVersion"),
        "kind": text(owner, "kind"),
        "name": name(owner),
        "uid": uid(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def whole(written: str) -> int | None:
    """The whole number that a text is, as labels and annotations hold them; None when it is none."""
    return int(written) if _WHOLE.fullmatch(written) else None


def without_nones(entries: Mapping[str, JSON]) -> Object:
    return {key: item for key, item in entries.items() if item is not None}


def stamp(seconds: float) -> str:
    """Write a moment (seconds since 1970) as the API does: in UTC, whole seconds."""
    return times.render(times.from_unix(int(seconds), 0))


def moment(written: str) -> float | None:
    """Seconds since 1970 of a time as the API writes it; None when it is none."""
    try:
        seconds, nanos = times.to_unix(times.parse(written))
    except InvalidArgument:
        return None
    return seconds + nanos / 1e9


def created(of: Object) -> float:
    return moment(text(of, "metadata", "creationTimestamp")) or 0.0
