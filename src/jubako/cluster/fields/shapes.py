"""What merges with what: of each message and field of the table, whether its parts have owners of their own.

leaf     one value: scalars, lists and objects that are replaced as a whole
struct   an object whose fields the table names
map      an object whose names are the client's
keyed    a list whose elements are told apart by some of their fields
set      a list of scalars that are each themselves
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import Literal

from jubako.cluster.fields import elements
from jubako.cluster.types.document import JSON, Object
from jubako.cluster.types.schema import Field, Message, message
from jubako.errors import InvalidArgument

What = Literal["leaf", "struct", "map", "keyed", "set"]


class Unkeyed(InvalidArgument):
    """An element of a list does not say which one it is."""


class Shape:
    """`scalar` is the type of a leaf that is a scalar; `item` what a map or keyed list consists of."""

    def __init__(self, what: What, *, of: Message | None = None, item: Shape | None = None, scalar: str = "") -> None:
        self.what, self.scalar = what, scalar
        self._message, self._item = of, item
        self.keys: dict[str, JSON] = {}

    @cached_property
    def members(self) -> dict[str, Shape]:
        """The fields of a struct."""
        fields = self._message.by_name if self._message else {}
        return {name: _of_field(field) for name, field in fields.items()}

    def member(self, name: str) -> Shape:
        """Return the shape of what has this name in a struct or map: a leaf where the table knows nothing."""
        return self._item or self.members.get(name) or LEAF

    @property
    def item(self) -> Shape:
        return self._item or LEAF

    def element(self, item: JSON) -> str:
        """Return which element of the list this item is. Raises Unkeyed."""
        return elements.valued(item) if self.what == "set" else elements.keyed(self._keys_of(item))

    def _keys_of(self, item: JSON) -> Object:
        if not isinstance(item, dict):
            raise Unkeyed(f"associative list with keys may not have {'a null' if item is None else 'non-map'} element")
        keys: Object = {}
        for name, absent in self.keys.items():
            keys[name] = item.get(name, absent)
            if keys[name] is None:
                why = f'omits key field "{name}" (and doesn\'t have default value)'
                raise Unkeyed(f"associative list with keys has an element that {why}")
        return keys


LEAF = Shape("leaf")


@cache
def shape_of(name: str) -> Shape:
    """Return the shape of a message by its full name."""
    return Shape("struct", of=message(name))


def _of_field(field: Field) -> Shape:
    if field.shape == "list":
        return _of_list(field)
    if field.shape == "map":
        return LEAF if field.map_type == "atomic" else Shape("map", item=_of_one(field))
    return _of_one(field)


def _of_list(field: Field) -> Shape:
    if field.list_type == "set":
        return Shape("set")
    if field.list_type != "map" or not field.message:
        return LEAF
    shape = Shape("keyed", item=shape_of(field.type))
    shape.keys = {name: _default(field.message, name) for name in sorted(field.list_keys)}
    return shape


def _default(owner: Message, name: str) -> JSON:
    field = owner.by_name.get(name)
    return field.default if field else None


def _of_one(field: Field) -> Shape:
    if not field.message:
        return Shape("leaf", scalar=field.type)
    atomic = (field.map_type or field.message.map_type) == "atomic"
    return LEAF if atomic else shape_of(field.type)
