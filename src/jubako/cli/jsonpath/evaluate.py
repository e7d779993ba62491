"""A tree and a document -> values.

Model: a part of the template is a list of nodes, each a function of the values before it. A part begins with what is
       looked at: the document, or the item of a range.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence

from jubako.cli.jsonpath.nodes import (
    Field,
    Filter,
    Literal,
    Node,
    Path,
    Range,
    Recursive,
    Root,
    Slice,
    Union,
    Wildcard,
)
from jubako.cluster.types.document import JSON
from jubako.errors import InvalidArgument

_COMPARE: dict[str, Callable[[JSON, JSON], bool]] = {
    "<": lambda one, other: operator.lt(*_ordered(one, other)),
    ">": lambda one, other: operator.gt(*_ordered(one, other)),
    "<=": lambda one, other: operator.le(*_ordered(one, other)),
    ">=": lambda one, other: operator.ge(*_ordered(one, other)),
}


class Evaluation:
    """One document, looked at by one template."""

    def __init__(self, *, forgiving: bool) -> None:
        self._forgiving = forgiving
        self._root: JSON = None

    def groups(self, parts: Sequence[Path], document: JSON) -> list[list[JSON]]:
        """Return the values of each part."""
        self._root = document
        return [*self._groups(parts, document)]

    def _groups(self, parts: Sequence[Path], current: JSON) -> Iterator[list[JSON]]:
        for part in parts:
            if len(part) == 1 and isinstance(part[0], Range):
                for item in self._path(part[0].over, [current]):
                    yield from self._groups(part[0].body, item)
            else:
                yield self._path(part, [current])

    def _path(self, path: Path, values: list[JSON]) -> list[JSON]:
        for node in path:
            values = self._node(node, values)
        return values

    def _node(self, node: Node, values: list[JSON]) -> list[JSON]:
        match node:
            case Literal():
                return [node.value]
            case Root():
                return [self._root]
            case Field():
                return [found for value in values for found in self._field(node, value)]
            case Slice():
                return [found for value in values for found in self._slice(node, value)]
            case Wildcard():
                return [found for value in values for found in _members(value)]
            case Recursive():
                return [found for value in values for found in _descendants(value)]
            case Union():
                return [found for branch in node.branches for found in self._path(branch, values)]
            case Filter():
                return [item for value in values for item in _members(value) if self._holds(node, item)]
            case Range():
                return [found for group in self._groups([(node,)], values[0]) for found in group]

    def _field(self, node: Field, value: JSON) -> list[JSON]:
        if not node.name:
            return [value]
        if isinstance(value, dict) and node.name in value:
            return [value[node.name]]
        # Of what a recursive descent passes, what has no such field is passed over; so it is of null.
        if self._forgiving or value is None or isinstance(value, _Passed):
            return []
        raise InvalidArgument(f"{node.name} is not found")

    def _slice(self, node: Slice, value: JSON) -> list[JSON]:
        if not isinstance(value, list):
            if value is None:
                return []
            raise InvalidArgument(f"{_go_name(value)} is not array or slice")
        if not node.single:
            return value[node.start : node.end : node.step or 1]
        index = (node.start or 0) + (len(value) if (node.start or 0) < 0 else 0)
        if not 0 <= index < len(value):
            raise InvalidArgument(f"array index out of bounds: index {index}, length {len(value)}")
        return [value[index]]

    def _holds(self, node: Filter, item: JSON) -> bool:
        forgiving = Evaluation(forgiving=True)
        forgiving._root = self._root
        left = forgiving._path(node.left, [item])
        if node.operator == "exists":
            return bool(left)
        right = forgiving._path(node.right, [item])
        if len(left) != 1 or len(right) != 1:
            if len(left) > 1 or len(right) > 1:
                raise InvalidArgument("can only compare one element at a time")
            return False
        if node.operator in ("==", "!="):
            return (_comparable(left[0]) == _comparable(right[0])) == (node.operator == "==")
        return _COMPARE[node.operator](left[0], right[0])


class _Passed(dict[str, JSON]):
    """An object that a recursive descent has come by."""


def _descendants(value: JSON) -> list[JSON]:
    found: list[JSON] = [_Passed(value) if isinstance(value, dict) else value]
    for member in _members(value):
        if isinstance(member, dict | list):
            found += _descendants(member)
    return [each for each in found if isinstance(each, dict)] if isinstance(value, dict | list) else []


def _members(value: JSON) -> list[JSON]:
    if isinstance(value, dict):
        return [*value.values()]
    return value if isinstance(value, list) else []


def _comparable(value: JSON) -> tuple[str, JSON]:
    """Numbers are the same whether whole or not; nothing else is the same as something of another type."""
    if isinstance(value, bool):
        return "bool", value
    return ("number", float(value)) if isinstance(value, int | float) else (type(value).__name__, value)


def _ordered(one: JSON, other: JSON) -> tuple[float, float] | tuple[str, str]:
    if isinstance(one, str) and isinstance(other, str):
        return one, other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return float(one), float(other)
    raise InvalidArgument("incompatible types for comparison")


def _go_name(value: JSON) -> str:
    return "map[string]interface {}" if isinstance(value, dict) else type(value).__name__
