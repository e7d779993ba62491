"""JSON Patch. Spec: RFC 6902.

Bounds:  operations, the bytes that `copy` adds, and depth, as a few operations could otherwise make a document of any
         size. As in Kubernetes, `test` of an absent member against null holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from jubako.cluster.patch import pointer
from jubako.cluster.patch.failure import Unprocessable
from jubako.cluster.patch.pointer import DEPTH_MAX, Tokens
from jubako.cluster.types.document import JSON, Object
from jubako.errors import InvalidArgument, ResourceExhausted

OPERATIONS_MAX = 10_000
COPIED_BYTES_MAX = 3 << 20


def apply_json(document: JSON, patch: JSON) -> JSON:
    """Return `document` after all operations.

    Raises InvalidArgument, Unprocessable, and ResourceExhausted beyond the bounds.
    """
    operations = [_Operation(item) for item in _list(patch)]
    editor = _Editor(_clone(document))
    for operation in operations:
        operation.run(editor)
    return editor.document


def _list(patch: JSON) -> Sequence[JSON]:
    if not isinstance(patch, list):
        raise InvalidArgument("a JSON patch is a list of operations")
    if len(patch) > OPERATIONS_MAX:
        raise ResourceExhausted(f"The allowed maximum operations in a JSON patch is {OPERATIONS_MAX}, got {len(patch)}")
    return patch


class _Operation:
    """One element of a patch, checked."""

    def __init__(self, item: JSON) -> None:
        if not isinstance(item, dict):
            raise InvalidArgument("an operation of a JSON patch is an object")
        name = item.get("op")
        if not isinstance(name, str) or name not in _OPERATIONS:
            raise InvalidArgument(f"unexpected kind of JSON patch operation: {name!r}")
        self._function, argument = _OPERATIONS[name]
        self._path = pointer.parse(item.get("path"))
        self._arguments = [_argument(item, argument)] if argument else []
        self._name = name

    def run(self, editor: _Editor) -> None:
        try:
            self._function(editor, self._path, *self._arguments)
        except Unprocessable as error:
            place = pointer.spell(self._path)
            raise Unprocessable(f"{self._name} operation does not apply to {place!r}: {error.message}") from None


def _argument(item: Object, name: str) -> JSON | Tokens:
    if name not in item:
        raise InvalidArgument(f"a JSON patch operation {item.get('op')!r} needs a {name!r}")
    return pointer.parse(item[name]) if name == "from" else item[name]


class _Editor:
    """A document of its own that operations change. What is put into it is a copy, so that nothing is in it twice."""

    def __init__(self, document: JSON) -> None:
        self.document = document
        self._copied_bytes = 0

    def add(self, path: Tokens, value: JSON) -> None:
        value = _clone(value)
        if path:
            pointer.insert(self._container(path), path, value)
        else:
            self.document = value

    def remove(self, path: Tokens) -> JSON:
        if not path:
            raise Unprocessable("the whole document can not be removed")
        return pointer.remove(self._container(path), path)

    def replace(self, path: Tokens, value: JSON) -> None:
        if path:
            pointer.put(self._container(path), path, _clone(value))
        else:
            self.document = _clone(value)

    def move(self, path: Tokens, source: Tokens) -> None:
        if path == source:
            pointer.get(self.document, source)
        elif path[: len(source)] == source:
            raise Unprocessable("a value can not be moved into itself")
        else:
            self.add(path, self.remove(source))

    def copy(self, path: Tokens, source: Tokens) -> None:
        value = pointer.get(self.document, source)
        self._copied_bytes += len(msgspec.json.encode(value))
        if self._copied_bytes > COPIED_BYTES_MAX:
            raise ResourceExhausted(f"a JSON patch may copy {COPIED_BYTES_MAX} bytes, this one copies more")
        self.add(path, value)

    def test(self, path: Tokens, value: JSON) -> None:
        container = self._container(path) if path else None
        absent = isinstance(container, dict) and path[-1] not in container
        if not _same(None if absent else pointer.get(self.document, path), value):
            raise Unprocessable("testing value failed")

    def _container(self, path: Tokens) -> JSON:
        return pointer.get(self.document, path[:-1])


_OPERATIONS: dict[str, tuple[Callable[..., Any], str]] = {
    "add": (_Editor.add, "value"),
    "remove": (_Editor.remove, ""),
    "replace": (_Editor.replace, "value"),
    "move": (_Editor.move, "from"),
    "copy": (_Editor.copy, "from"),
    "test": (_Editor.test, "value"),
}


def _clone(value: JSON, depth: int = DEPTH_MAX) -> JSON:
    if not depth:
        raise Unprocessable(f"a value may be nested {DEPTH_MAX} levels deep")
    if isinstance(value, dict):
        return {name: _clone(member, depth - 1) for name, member in value.items()}
    if isinstance(value, list):
        return [_clone(element, depth - 1) for element in value]
    return value


def _same(one: JSON, other: JSON) -> bool:
    """Equality of JSON: to Python true is 1."""
    match one, other:
        case dict(), dict():
            return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
        case list(), list():
            return len(one) == len(other) and all(map(_same, one, other))
        case _:
            return isinstance(one, bool) == isinstance(other, bool) and one == other
