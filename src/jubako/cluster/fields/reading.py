"""A document -> the fields that it sets."""

from __future__ import annotations

from collections.abc import Iterator

from jubako.cluster.fields import sets
from jubako.cluster.fields.elements import field
from jubako.cluster.fields.sets import Fields, Node
from jubako.cluster.fields.shapes import Shape
from jubako.cluster.types.document import JSON, Object, array


def fields_of(shape: Shape, document: Object) -> Fields:
    """Return the set of all that is in a document. Raises Unkeyed."""
    return dict(_children(shape, document))


def indexed(shape: Shape, items: JSON) -> dict[str, list[JSON]]:
    """Return the items of a keyed list or set by their elements, in order; more than one where an element repeats."""
    found: dict[str, list[JSON]] = {}
    for item in array(items):
        found.setdefault(shape.element(item), []).append(item)
    return found


def _children(shape: Shape, value: JSON) -> Iterator[tuple[str, Fields]]:
    if isinstance(value, dict):
        for name, held in value.items():
            node = _node(shape.member(name), held, member=shape.what == "map" or held is None or held == {})
            if node is not None:
                yield field(name), node
    else:
        for element, items in indexed(shape, value).items():
            yield element, (_node(shape.item, items[0], member=True) if len(items) == 1 else {}) or {}


def _node(shape: Shape, value: JSON, *, member: bool) -> Node:
    if shape.what == "leaf":
        return {}
    return sets.made(dict(_children(shape, value)) if value else {}, member=member)
