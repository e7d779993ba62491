"""Sets of fields, in the form that managedFields has.

Form:       a tree of dicts whose keys are elements (f:NAME, k:{KEYS}, v:VALUE). A node that is empty, or has ".", is in
            the set itself; any other only leads to such. The root is never a member: an empty one is the empty set.
Invariant:  nothing here changes what it is given, and results may share parts with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

Fields: TypeAlias = "dict[str, Fields]"
Node: TypeAlias = "Fields | None"
"""A part of a set; None where nothing is."""
Path = tuple[str, ...]
SELF = "."
_ORDER = {SELF: 0, "f": 1, "k": 2, "v": 3, "i": 4}


def is_member(node: Node) -> bool:
    return node is not None and (not node or SELF in node)


def made(children: Fields, *, member: bool) -> Node:
    """Return a node of these children."""
    if not children:
        return {} if member else None
    return {SELF: {}, **children} if member else children


def union(one: Fields, other: Fields) -> Fields:
    return _combined(one, other, _united)


def difference(one: Fields, other: Fields) -> Fields:
    """Return what is in `one` and not in `other`, member by member."""
    return _combined(one, other, _lessened) if other else one


def intersection(one: Fields, other: Fields) -> Fields:
    return _combined(one, other, _shared)


def without(fields: Fields, dropped: Fields) -> Fields:
    """Return a set without the members of `dropped` and all beneath them."""
    return {name: kept for name, node in fields.items() if (kept := _spared(node, dropped.get(name))) is not None}


def paths(fields: Fields, before: Path = ()) -> Iterator[Path]:
    """Yield the path of each member, in the order of `ordered`."""
    for name, node in ordered(fields).items():
        if name == SELF:
            continue
        if is_member(node):
            yield (*before, name)
        yield from paths(node, (*before, name))


def ordered(fields: Fields) -> Fields:
    """Return the set as it is written: a member itself first, then names, keys and values, each sorted."""
    return {name: ordered(fields[name]) for name in sorted(fields, key=_place)}


def _place(element: str) -> tuple[int, str]:
    return _ORDER.get(element[0], 5), element


def _combined(one: Fields, other: Fields, node: Callable[[Node, Node], Node]) -> Fields:
    """Combine two sets child by child."""
    names = (*one, *(name for name in other if name not in one))
    found = ((name, node(one.get(name), other.get(name))) for name in names if name != SELF)
    return {name: child for name, child in found if child is not None}


def _united(one: Node, other: Node) -> Node:
    if one is None or other is None:
        return other if one is None else one
    return made(union(one, other), member=is_member(one) or is_member(other))


def _lessened(one: Node, other: Node) -> Node:
    if one is None or other is None:
        return one
    return made(_combined(one, other, _lessened), member=is_member(one) and not is_member(other))


def _shared(one: Node, other: Node) -> Node:
    if one is None or other is None:
        return None
    return made(intersection(one, other), member=is_member(one) and is_member(other))


def _spared(node: Fields, dropped: Node) -> Node:
    if dropped is None:
        return node
    return None if is_member(dropped) else made(without(node, {SELF: {}, **dropped}), member=False)
