"""A document without some fields, and which fields go when an applier gives them up."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from jubako.cluster.fields import sets
from jubako.cluster.fields.elements import field
from jubako.cluster.fields.reading import fields_of
from jubako.cluster.fields.sets import Fields, Node
from jubako.cluster.fields.shapes import Shape
from jubako.cluster.types.document import JSON, Object, array


def removed(shape: Shape, document: Object, gone: Fields) -> Object:
    """Return the document without the members of a set, and all that is in them."""
    result: Object = {}
    for name, value in document.items():
        node = gone.get(field(name))
        if not sets.is_member(node):
            result[name] = _left(shape.member(name), value, node)
    return result


def given_up(shape: Shape, document: Object, last: Fields, owned: Iterable[Fields]) -> Object:
    """Return a document without what was in the `last` set of an applier and is in no set that is `owned` now.

    An element or object that nobody has any more goes with all that is in it, defaults too; one of which somebody has a
    part loses no more than what was given up.
    """
    named = named_members(shape, last)
    whole = named_members(shape, fields_of(shape, document))
    bare = fields_of(shape, removed(shape, document, named))
    kept = reduce(sets.union, (named_members(shape, each) for each in (bare, *owned)))
    left = fields_of(shape, removed(shape, document, sets.difference(whole, kept)))
    lost = sets.difference(whole, named_members(shape, left))
    return removed(shape, document, sets.intersection(lost, named))


def named_members(shape: Shape, fields: Fields) -> Fields:
    """Return the set with all fields that structs name on the way to its members."""
    found: Fields = {}
    for element, node in fields.items():
        if element != sets.SELF:
            named = shape.what == "struct" and element.startswith("f:") and element[2:] in shape.members
            inner = named_members(_beneath(shape, element), node)
            found[element] = sets.made(inner, member=named or sets.is_member(node)) or {}
    return found


def _beneath(shape: Shape, element: str) -> Shape:
    return shape.member(element[2:]) if element.startswith("f:") else shape.item


def _left(shape: Shape, value: JSON, gone: Node) -> JSON:
    if not gone or not value:
        return value
    if isinstance(value, dict):
        return removed(shape, value, gone) or None
    if shape.what not in ("keyed", "set"):
        return value
    kept: list[JSON] = []
    for item in array(value):
        node = gone.get(shape.element(item))
        if not sets.is_member(node):
            kept.append(_left(shape.item, item, node))
    return kept or None
