"""What Go writes for fields that nobody set: its zero values, and which of them JSON leaves out.

Kubernetes keeps objects in Go structs, so that what clients see has `status: {}` and `creationTimestamp: null` but
no empty
list. Documents here have the same form, whichever way they came in.
"""

from __future__ import annotations

from jubako.cluster.types.document import JSON, Object
from jubako.cluster.types.schema import Field, Message

_ZERO: dict[str, JSON] = {
    **dict.fromkeys(("int32", "int64", "uint32", "byte", "double", "IntOrString"), 0),
    "string": "",
    "bool": False,
    "Quantity": "0",
}
_PLAIN = frozenset(("string", "bool", "int32", "int64", "uint32", "byte", "double", "bytes", "any", "Strings"))


def zero(field: Field) -> JSON:
    """Return the zero value of a field as JSON has it; None stands for null."""
    if field.pointer or field.shape != "one":
        return None
    return element(field)


def element(field: Field) -> JSON:
    """Return the zero value of one item of a list or map, or of what a pointer points to."""
    return empty(field.message) if field.message else _ZERO.get(field.type)


def omitted(field: Field, value: JSON) -> bool:
    """Tell whether JSON leaves out a field with this value. A struct is never empty to Go."""
    if field.always:
        return False
    if field.pointer:
        return value is None
    return not value if field.shape != "one" or field.type in _PLAIN else False


def empty(message: Message) -> Object:
    """Return a message of which nothing is set."""
    document: Object = {}
    for field in message.by_name.values():
        value = zero(field)
        if not omitted(field, value):
            document[field.name] = value
    return document
