"""Bytes of a message -> a document, of the form that Go's JSON encoder would give it.

Fields that the table does not have are skipped, as proto2 says. Depth and the number of values are bounded.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from typing import TypeVar

from jubako.cluster.types.document import JSON, Object
from jubako.cluster.types.empty import element, omitted, zero
from jubako.cluster.types.protobuf import special
from jubako.cluster.types.protobuf.wire import Value, fields, signed, varint
from jubako.cluster.types.schema import Field, Message
from jubako.errors import InvalidArgument

MAX_DEPTH = 100
T = TypeVar("T", int, bytes)


def decode(message: Message, data: bytes, depth: int = 0) -> Object:
    """Return the document. Raises InvalidArgument where the bytes are not this message."""
    if depth > MAX_DEPTH:
        raise InvalidArgument("proto: nesting is too deep")
    found: dict[int, list[Value]] = {}
    for number, _, value in fields(data):
        found.setdefault(number, []).append(value)
    document: Object = {}
    for field in message.fields:
        if field.inline and field.message:
            part = b"".join(_bytes(field, value) for value in found.get(field.number, ()))
            document.update(decode(field.message, part, depth + 1))
            continue
        held = _field(field, found[field.number], depth) if field.number in found else zero(field)
        if not omitted(field, held):
            document[field.name] = held
    return document


def _field(field: Field, values: list[Value], depth: int) -> JSON:
    if field.shape == "list":
        return [_one(field, value, depth) for value in _unpacked(field, values)]
    if field.shape == "map":
        return dict(_entry(field, _bytes(field, value), depth) for value in values)
    if field.message:
        return decode(field.message, b"".join(_bytes(field, value) for value in values), depth + 1)
    return _one(field, values[-1], depth)


def _entry(field: Field, data: bytes, depth: int) -> tuple[str, JSON]:
    key, value = "", element(field)
    for number, _, part in fields(data):
        if number == 1:
            key = _text(_bytes(field, part))
        elif number == 2:
            value = _one(field, part, depth)
    return key, value


def _unpacked(field: Field, values: list[Value]) -> list[Value]:
    """Return the items of a list: numbers may be packed, several in one value of bytes."""
    if field.type not in _NUMBERS:
        return values
    items: list[Value] = []
    for value in values:
        if isinstance(value, int):
            items.append(value)
            continue
        position = 0
        while position < len(value):
            number, position = varint(value, position)
            items.append(number)
    return items


def _one(field: Field, value: Value, depth: int) -> JSON:
    if field.message:
        return decode(field.message, _bytes(field, value), depth + 1)
    if field.type in _NUMBERS:
        return _NUMBERS[field.type](_int(field, value))
    return _OTHERS[field.type](_bytes(field, value))


def _int(field: Field, value: Value) -> int:
    return _of_type(field, value, int)


def _bytes(field: Field, value: Value) -> bytes:
    return _of_type(field, value, bytes)


def _of_type(field: Field, value: Value, wanted: type[T]) -> T:
    if not isinstance(value, wanted):
        raise InvalidArgument(f"proto: wrong wireType = {0 if isinstance(value, int) else 2} for field {field.name}")
    return value


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _int32(value: int) -> int:
    return (value + 2**31) % 2**32 - 2**31


def _double(value: bytes) -> JSON:
    if len(value) != 8:
        raise InvalidArgument("proto: wrong wireType for a double")
    number = float(struct.unpack("<d", value)[0])
    if number != number or number in (float("inf"), float("-inf")):
        raise InvalidArgument("json: unsupported value")
    return int(number) if number.is_integer() else number


_NUMBERS: dict[str, Callable[[int], JSON]] = {
    "int32": _int32,
    "int64": signed,
    "uint32": lambda value: value % 2**32,
    "byte": lambda value: value % 256,
    "bool": bool,
}
_OTHERS: dict[str, Callable[[bytes], JSON]] = {
    "string": _text,
    "bytes": lambda value: base64.b64encode(value).decode("ascii"),
    "double": _double,
    **special.DECODERS,
}
