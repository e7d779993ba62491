"""Two documents -> the fields that were added, modified and removed between them.

Model:  what is equal is not walked through. Of an object or list that is new or gone it counts itself and all that is
        in it; of one that stays only what differs in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from jubako.cluster.fields import sets
from jubako.cluster.fields.elements import field
from jubako.cluster.fields.reading import indexed
from jubako.cluster.fields.sets import Fields, Node
from jubako.cluster.fields.shapes import Shape
from jubako.cluster.types.document import JSON, Object

ABSENT: list[JSON] = []
"""Where a value is not there: known by identity."""
_Three = tuple[Node, Node, Node]
_MODIFIED: _Three = (None, {}, None)


class Comparison(msgspec.Struct, frozen=True):
    added: Fields
    modified: Fields
    removed: Fields

    def without(self, dropped: Fields) -> Comparison:
        return Comparison(*(sets.without(each, dropped) for each in (self.added, self.modified, self.removed)))

    @property
    def set(self) -> Fields:
        """What has another value than before."""
        return sets.union(self.added, self.modified)

    def __bool__(self) -> bool:
        return bool(self.added or self.modified or self.removed)


def compare(shape: Shape, old: Object, new: Object) -> Comparison:
    """Raises Unkeyed."""
    return Comparison(*(node or {} for node in _gathered(_of_names(shape, old, new))))


def _gathered(children: Iterable[tuple[str, _Three]]) -> _Three:
    """Put the three nodes of each child into those of their parent."""
    three: tuple[Fields, Fields, Fields] = ({}, {}, {})
    for element, nodes in children:
        for into, node in zip(three, nodes, strict=True):
            if node is not None:
                into[element] = node
    added, modified, removed = three
    return added or None, modified or None, removed or None


def _of_names(shape: Shape, old: Object, new: Object) -> Iterator[tuple[str, _Three]]:
    for name in (*old, *(name for name in new if name not in old)):
        before, after = old.get(name, ABSENT), new.get(name, ABSENT)
        if before is ABSENT or after is ABSENT or before != after:
            yield field(name), _node(shape.member(name), before, after)


def _of_elements(shape: Shape, old: JSON, new: JSON) -> Iterator[tuple[str, _Three]]:
    before, after = indexed(shape, old), indexed(shape, new)
    for element in (*before, *(element for element in after if element not in before)):
        was, now = before.get(element, ABSENT), after.get(element, ABSENT)
        if was is now or was == now:
            continue
        if len(was) > 1 or len(now) > 1:  # told apart by nothing: one value
            yield element, _changed(was, now)
        else:
            yield element, _node(shape.item, was[0] if was else ABSENT, now[0] if now else ABSENT)


def _node(shape: Shape, old: JSON, new: JSON) -> _Three:
    if old is ABSENT or new is ABSENT:
        whole = _whole(shape, new if old is ABSENT else old)
        return (whole, None, None) if old is ABSENT else (None, None, whole)
    if shape.what == "leaf" or not (old or new):
        return _MODIFIED
    if shape.what in ("keyed", "set"):
        return _gathered(_of_elements(shape, old, new))
    return _gathered(_of_names(shape, _object(old), _object(new)))


def _whole(shape: Shape, value: JSON) -> Fields:
    if shape.what == "leaf" or not value:
        return {}
    children: Iterable[tuple[str, Fields]]
    if shape.what in ("keyed", "set"):
        found = indexed(shape, value).items()
        children = ((element, _whole(shape.item, items[0]) if len(items) == 1 else {}) for element, items in found)
    else:
        children = ((field(name), _whole(shape.member(name), held)) for name, held in _object(value).items())
    return {sets.SELF: {}, **dict(children)}


def _changed(old: JSON, new: JSON) -> _Three:
    return ({}, None, None) if old is ABSENT else (None, None, {}) if new is ABSENT else _MODIFIED


def _object(value: JSON) -> Object:
    return value if isinstance(value, dict) else {}
