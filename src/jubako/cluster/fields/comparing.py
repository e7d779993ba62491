"""Two documents -> the fields that were added, modified and removed between them.

Model:  what is equal is not walked through. Of an object or list that is new or gone it counts itself and all that is
        in it; of one that stays only what differs in it.
"""

from __future__ import annotations

import msgspec

from jubako.cluster.fields import sets
from jubako.cluster.fields.elements import field
from jubako.cluster.fields.reading import indexed
from jubako.cluster.fields.sets import Fields, Node
from jubako.cluster.fields.shapes import Shape
from jubako.cluster.types.document import JSON, Object, mapping

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

    def with_emptied(self, said: Fields) -> Comparison:
        """The same, where removing what was `said` is a modification: it was set to nothing (false, "", 0)."""
        emptied = sets.intersection(self.removed, said)
        return Comparison(self.added, sets.union(self.modified, emptied), self.removed)

    @property
    def set(self) -> Fields:
        """What has another value than before."""
        return sets.union(self.added, self.modified)

    def __bool__(self) -> bool:
        return bool(self.added or self.modified or self.removed)


def compare(shape: Shape, old: Object, new: Object) -> Comparison:
    """Raises Unkeyed."""
    return Comparison(*(node or {} for node in _names(shape, old, new)))


def _names(shape: Shape, old: Object, new: Object) -> _Three:
    added, modified, removed = three = _nothing()
    for name, before in old.items():
        after = new.get(name, ABSENT)
        if after is ABSENT:
            removed[field(name)] = _whole(shape.member(name), before)
        elif before != after:
            _put(three, field(name), _node(shape.member(name), before, after))
    for name in new:
        if name not in old:
            added[field(name)] = _whole(shape.member(name), new[name])
    return added or None, modified or None, removed or None


def _elements(shape: Shape, old: JSON, new: JSON) -> _Three:
    added, modified, removed = three = _nothing()
    before, after = indexed(shape, old), indexed(shape, new)
    for element, was in before.items():
        now = after.get(element)
        if now is None:
            removed[element] = _every(shape, was)
        elif len(was) > 1 or len(now) > 1:  # told apart by nothing: one value
            modified.update({element: {}} if was != now else {})
        elif was != now:
            _put(three, element, _node(shape.item, was[0], now[0]))
    for element, now in after.items():
        if element not in before:
            added[element] = _every(shape, now)
    return added or None, modified or None, removed or None


def _node(shape: Shape, old: JSON, new: JSON) -> _Three:
    if shape.what == "leaf" or not (old or new):
        return _MODIFIED
    if shape.what in ("keyed", "set"):
        return _elements(shape, old, new)
    return _names(shape, mapping(old), mapping(new))


def _whole(shape: Shape, value: JSON) -> Fields:
    """Return what is new or gone with a value."""
    if shape.what == "leaf" or not value:
        return {}
    found: Fields = {sets.SELF: {}}
    if shape.what in ("keyed", "set"):
        for element, items in indexed(shape, value).items():
            found[element] = _every(shape, items)
    else:
        for name, held in mapping(value).items():
            found[field(name)] = _whole(shape.member(name), held)
    return found


def _every(shape: Shape, items: list[JSON]) -> Fields:
    return _whole(shape.item, items[0]) if len(items) == 1 else {}


def _nothing() -> tuple[Fields, Fields, Fields]:
    return {}, {}, {}


def _put(three: tuple[Fields, Fields, Fields], element: str, nodes: _Three) -> None:
    for into, node in zip(three, nodes, strict=True):
        if node is not None:
            into[element] = node
