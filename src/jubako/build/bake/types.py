"""Types of variables as bake files write them: `string`, `list(number)`, `object({a = string, b = optional(bool)})`.

A type is itself a value: the name of a simple one, or a list of the constructor's name and its arguments.
Spec: HCL, "Type Expressions Extension"; buildx, docs/bake-reference.md, "variable.type".
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence

from jubako.build.bake.collections import unique
from jubako.build.bake.expressions import Expression
from jubako.build.bake.values import BakeError, Value, list_of, map_of, number_of, text_of, truth_of

_SIMPLE = {"string": text_of, "number": number_of, "bool": truth_of}
_CONSTRUCTORS = ("list", "set", "map", "object", "tuple", "optional")
_ROWS = ("list", "set", "tuple")


class _Types:
    """The scope of a type's expression: its words are names of types, its calls their constructors."""

    def variable(self, name: str) -> Value:
        if name not in _SIMPLE and name != "any":
            raise BakeError(f"there is no type {name!r}")
        return name

    def call(self, name: str, arguments: Sequence[Value]) -> Value:
        if name not in _CONSTRUCTORS or not arguments:
            raise BakeError(f"there is no type {name}(…)")
        return [name, *arguments]


def type_of(expression: Expression) -> Value:
    """Raises BakeError for what is no type."""
    return expression(_Types())


def converted(value: Value, wanted: Value) -> Value:
    """The value as the type has it; null fits each. Raises BakeError."""
    if value is None or wanted == "any":
        return value
    if isinstance(wanted, str):
        return _SIMPLE[wanted](value)
    name, inner = list_of(wanted)[:2]
    match name:
        case "list":
            return [converted(each, inner) for each in list_of(value)]
        case "set":
            return unique([converted(each, inner) for each in list_of(value)])
        case "map":
            return {key: converted(each, inner) for key, each in map_of(value).items()}
        case "tuple":
            parts, types = list_of(value), list_of(inner)
            if len(parts) != len(types):
                raise BakeError(f"{len(types)} elements are needed, not {len(parts)}")
            return [converted(each, kind) for each, kind in zip(parts, types, strict=True)]
        case "optional":
            return converted(value, inner)
        case _:
            return _object(map_of(value), map_of(inner))


def from_environment(name: str, environ: Mapping[str, str], wanted: Value) -> Value:
    """What NAME_JSON or NAME says; the latter is a CSV row for what is a list. Raises BakeError."""
    if (text := environ.get(f"{name}_JSON")) is not None:
        try:
            return converted(json.loads(text), wanted)
        except ValueError as problem:
            raise BakeError(f"failed to parse {name}_JSON from the environment: {problem}") from None
    text = environ[name]
    try:
        is_row = isinstance(wanted, list) and wanted[0] in _ROWS
        return converted([*next(csv.reader([text], strict=True), [])] if is_row else text, wanted)
    except (BakeError, csv.Error) as problem:
        raise BakeError(f"failed to parse {name} from the environment: {problem}") from None


def _object(value: Mapping[str, Value], types: Mapping[str, Value]) -> Value:
    found: dict[str, Value] = {}
    for key, wanted in types.items():
        optional = isinstance(wanted, list) and wanted[0] == "optional"
        if key not in value and not optional:
            raise BakeError(f"attribute {key} is required")
        default = wanted[2] if isinstance(wanted, list) and optional and len(wanted) > 2 else None
        found[key] = converted(value.get(key, default), wanted)
    return found
