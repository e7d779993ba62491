"""The values that templates see, and how Go prints, orders and tests them."""

from __future__ import annotations

from collections.abc import Collection


class TemplateError(ValueError):
    """The template does not parse, or its evaluation failed; the message is Go's."""


class Record(dict[str, object]):
    """A struct: its fields are fixed, so that asking for another one is an error."""

    def missing(self, name: str) -> str:
        """The message for a field that is not there."""
        return f'map has no entry for key "{name}"'


class NullList(list[object]):
    """A nil slice: empty, and `null` in JSON."""


class NoValue:
    """What a missing key of a map yields."""


NO_VALUE = NoValue()


def record(value: object, maps: Collection[str] = (), pointers: Collection[str] = ()) -> object:
    """Turn decoded JSON into the values that Go's typed document has.

    The objects that stand under the keys in `maps` stay maps, all others become records; null is a nil pointer under
    the keys in `pointers`, and a nil slice elsewhere.
    """
    if isinstance(value, list):
        return [record(item, maps, pointers) for item in value]
    if not isinstance(value, dict):
        return value
    return Record({key: _member(key, item, maps, pointers) for key, item in value.items()})


def _member(key: str, value: object, maps: Collection[str], pointers: Collection[str]) -> object:
    if value is None:
        return None if key in pointers else NullList()
    if key in maps and isinstance(value, dict):
        return {name: _member("", item, maps, pointers) for name, item in value.items()}
    return record(value, maps, pointers)


def truth(value: object) -> bool:
    if isinstance(value, Record):
        return True
    if isinstance(value, NoValue):
        return False
    return callable(value) or bool(value)


def type_name(value: object) -> str:
    """The Go type that messages name."""
    match value:
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float64"
        case str():
            return "string"
        case list():
            return "[]interface {}"
        case Record():
            return "struct"
        case dict():
            return "map[string]interface {}"
        case _:
            return "nil"


def show(value: object) -> str:
    """The value as fmt's %v prints it."""
    match value:
        case NoValue():
            return "<no value>"
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case float():
            return show_float(value)
        case list():
            return "[" + " ".join(map(show, value)) + "]"
        case Record():
            return "{" + " ".join(show(item) for item in value.values() if not callable(item)) + "}"
        case dict():
            return "map[" + " ".join(f"{key}:{show(value[key])}" for key in sorted(value)) + "]"
        case _:
            return str(value)


def show_float(value: float) -> str:
    text = repr(value)
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        if abs(int(exponent)) < 21 and int(exponent) > 0:
            return format(value, ".0f")
        sign = "-" if exponent.startswith("-") else "+"
        return f"{mantissa}e{sign}{exponent.lstrip('+-').zfill(2)}"
    return text.removesuffix(".0")
