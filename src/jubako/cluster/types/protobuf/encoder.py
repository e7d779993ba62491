"""A document -> the bytes that Kubernetes writes for it: fields by number, maps by key, zero values of all that is
no pointer."""

from __future__ import annotations

import base64
import struct

from jubako.cluster.types.document import JSON, Object, array, integer, mapping, text
from jubako.cluster.types.empty import element
from jubako.cluster.types.protobuf import special
from jubako.cluster.types.protobuf.wire import put_bytes, put_number, put_varint
from jubako.cluster.types.schema import Field, Message

_NUMBERS = frozenset(("int32", "int64", "uint32", "byte", "bool"))
# What is absent in Go although it is no pointer.
_NULLABLE = frozenset(("bytes", "Strings", "any"))
_FIXED64 = 1


def encode(message: Message, document: Object) -> bytes:
    parts = []
    for _, field in sorted(message.by_number.items()):
        if field.inline and field.message:
            parts.append(_inlined(field, field.message, document))
        else:
            parts.append(_field(field, document.get(field.name)))
    return b"".join(parts)


def _inlined(field: Field, message: Message, document: Object) -> bytes:
    if field.pointer and not document.keys() & message.by_name.keys():
        return b""
    return put_bytes(field.number, encode(message, document))


def _field(field: Field, value: JSON) -> bytes:
    if field.shape == "list":
        return b"".join(_one(field, field.number, item) for item in array(value))
    if field.shape == "map":
        return b"".join(_entry(field, key, item) for key, item in sorted(mapping(value).items()))
    if value is None:
        if field.pointer or field.type in _NULLABLE:
            return b""
        value = element(field)
    return _one(field, field.number, value)


def _entry(field: Field, key: str, value: JSON) -> bytes:
    return put_bytes(
        field.number, put_bytes(1, key.encode()) + _one(field, 2, element(field) if value is None else value)
    )


def _one(field: Field, number: int, value: JSON) -> bytes:
    if field.message:
        return put_bytes(number, encode(field.message, mapping(value)))
    if field.type in _NUMBERS:
        return put_number(number, int(value) if isinstance(value, bool) else integer(value))
    if field.type == "double":
        amount = value if isinstance(value, (int, float)) else 0
        return put_varint(number << 3 | _FIXED64) + struct.pack("<d", amount)
    return put_bytes(number, _scalar(field, value))


def _scalar(field: Field, value: JSON) -> bytes:
    match field.type:
        case "string":
            return text(value).encode()
        case "bytes":
            return base64.b64decode(text(value))
    return special.ENCODERS[field.type](value)
