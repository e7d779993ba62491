"""Sets of fields, in the form that managedFields has.

Form:       a tree of dicts whose keys are elements (f:NAME, k:{KEYS}, v:VALUE). A node that is empty, or has ".", is in
            the set itself; any other only leads to such. The root is never a member: an empty one is the empty set.
Invariant:  nothing here changes what it is given, and results may share parts with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

Fields: TypeAlias = "dict[str, Fields]"
Node: TypeAlias = "Fields | None"
"""A part of a set; None where nothing is."""
Path = tuple[str, ...]
SELF = "."


def is_member(node: Node) -> bool:
    return node is not None and (not node or SELF in node)


def made(children: Fields, *, member: bool) -> Node:
    """Return a node of these children."""
    if not children:
        return {} if member else None
    return {SELF: {}, **children} if member else children


def union(one: Fields, other: Fields) -> Fields:
    if not one or not other:
        return one or other
    found = dict(one)
    for name, node in other.items():
        found[name] = _united(one[name], node) if name in one else node
    return found


def difference(one: Fields, other: Fields) -> Fields:
    """Return what is in `one` and not in `other`, member by member, in the order of `one`."""
    found = dict(one)
    for name in other.keys() & one.keys():
        _put(found, name, _lessened(one[name], other[name]))
    return found


def intersection(one: Fields, other: Fields) -> Fields:
    shared = ((name, _shared(node, other[name])) for name, node in one.items() if name in other)
    return {name: node for name, node in shared if node is not None}


def covers(one: Fields, other: Fields) -> bool:
    """Whether all of `other` is in `one`."""
    return all(name in one and _covers(one[name], node) for name, node in other.items() if name != SELF)


def without(fields: Fields, dropped: Fields) -> Fields:
    """Return a set without the members of `dropped` and all beneath them."""
    found = dict(fields)
    for name in dropped.keys() & fields.keys():
        _put(found, name, None if is_member(dropped[name]) else _spared(fields[name], dropped[name]))
    return found


def paths(fields: Fields, before: Path = ()) -> Iterator[Path]:
    """Yield the path of each member, in the order of the set."""
    for name, node in fields.items():
        if name == SELF:
            continue
        if is_member(node):
            yield (*before, name)
        yield from paths(node, (*before, name))


def _put(into: Fields, name: str, node: Node) -> None:
    if node is None:
        del into[name]
    else:
        into[name] = node


def _covers(one: Fields, other: Fields) -> bool:
    return (is_member(one) or not is_member(other)) and covers(one, other)


def _united(one: Fields, other: Fields) -> Fields:
    found = union(one, other)
    return {SELF: {}, **found} if found and (not one or not other) else found


def _lessened(one: Fields, other: Fields) -> Node:
    left = difference(one, other)
    left.pop(SELF, None)
    return made(left, member=is_member(one) and not is_member(other))


def _shared(one: Fields, other: Fields) -> Node:
    shared = intersection(one, other)
    shared.pop(SELF, None)
    return made(shared, member=is_member(one) and is_member(other))


def _spared(node: Fields, dropped: Fields) -> Node:
    left = without(node, dropped)
    left.pop(SELF, None)
    return left or None
