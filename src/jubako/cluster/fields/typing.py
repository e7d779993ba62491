"""What of an applied document can not be: fields that its kind has not, values of other types, elements without keys.

An applied document says only what its applier wants, so that it is not conformed as a whole: zeros that nobody wrote
would become the applier's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from jubako.cluster.fields import sets
from jubako.cluster.fields.elements import field, spelled
from jubako.cluster.fields.shapes import Shape, Unkeyed
from jubako.cluster.types.document import JSON, Object

_NUMBERS = ("int32", "int64", "uint32", "byte", "double")
_TEXTS = ("string", "bytes", "Time", "MicroTime")
_GO = {bool: "bool", int: "int64", float: "float64", str: "string", list: "[]interface {}"}


def problems(shape: Shape, document: Object) -> list[str]:
    """Return what is wrong, each with its path."""
    return list(_of(shape, document, ()))


def _of(shape: Shape, value: JSON, path: sets.Path) -> Iterator[str]:
    if value is None:
        return
    if shape.what == "leaf":
        yield from _scalar(shape.scalar, value, path)
    elif shape.what in ("keyed", "set"):
        yield from _list(shape, value, path)
    elif not isinstance(value, dict):
        yield f"{spelled(path)}: expected map, got &{{{_go(value)}}}"
    else:
        for name, held in value.items():
            beneath = (*path, field(name))
            if shape.what == "struct" and name not in shape.members:
                yield f"{spelled(beneath)}: field not declared in schema"
            else:
                yield from _of(shape.member(name), held, beneath)


def _list(shape: Shape, value: JSON, path: sets.Path) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{spelled(path)}: expected list, got &{{{_go(value)}}}"
        return
    seen: dict[str, int] = {}
    for at, item in enumerate(value):
        try:
            element = shape.element(item)
        except Unkeyed as error:
            yield f"{spelled(path)}: element {at}: {error.message}"
            continue
        seen[element] = seen.get(element, 0) + 1
        yield from _of(shape.item, item, (*path, element))
    yield from _repeated(seen.items(), path)


def _repeated(seen: Iterable[tuple[str, int]], path: sets.Path) -> Iterator[str]:
    for element, count in seen:
        if count > 1:
            yield f"{spelled(path)}: duplicate entries for key {spelled([element])}"


def _scalar(kind: str, value: JSON, path: sets.Path) -> Iterator[str]:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    shown = f"&value.valueUnstructured{{Value:{json.dumps(value)}}}"
    if kind in _NUMBERS and not is_number:
        yield f"{spelled(path)}: expected numeric (int or float), got {_GO.get(type(value), 'map[string]interface {}')}"
    elif kind in _TEXTS and not isinstance(value, str):
        yield f"{spelled(path)}: expected string, got {shown}"
    elif kind == "bool" and not isinstance(value, bool):
        yield f"{spelled(path)}: expected boolean, got {shown}"


def _go(value: JSON) -> str:
    """Return a value as Go prints it."""
    match value:
        case dict():
            return "map[" + " ".join(f"{name}:{_go(value[name])}" for name in sorted(value)) + "]"
        case list():
            return "[" + " ".join(map(_go, value)) + "]"
        case bool():
            return str(value).lower()
        case None:
            return "<nil>"
    return str(value)
