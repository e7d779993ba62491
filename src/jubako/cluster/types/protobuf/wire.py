"""Tags, varints and lengths of protobuf, nothing of its messages.

Every read is within the bytes given: what is short, overlong or of a wire type that proto2 does not have is
InvalidArgument.
"""

from __future__ import annotations

from collections.abc import Iterator

from jubako.errors import InvalidArgument

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_SIGN, _WORD = 1 << 63, 1 << 64
Value = int | bytes


def varint(data: bytes, position: int) -> tuple[int, int]:
    """Return the unsigned number at `position`, and where it ends."""
    value = shift = 0
    while True:
        if position >= len(data):
            raise InvalidArgument("unexpected EOF")
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            break
        shift += 7
        if shift > 63:
            raise InvalidArgument("proto: integer overflow")
    return value & (_WORD - 1), position


def fields(data: bytes) -> Iterator[tuple[int, int, Value]]:
    """Yield number, wire type and value of each field in turn."""
    position = 0
    while position < len(data):
        tag, position = varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise InvalidArgument(f"proto: illegal tag {number} (wire type {wire_type})")
        value: Value
        if wire_type == VARINT:
            value, position = varint(data, position)
        else:
            size, position = _size(data, position, wire_type)
            value = data[position : position + size]
            position += size
        yield number, wire_type, value


def last_fields(data: bytes) -> dict[int, Value]:
    """The last value of each field by number, which is the one that counts for those that are not repeated."""
    return {number: value for number, _, value in fields(data)}


def _size(data: bytes, position: int, wire_type: int) -> tuple[int, int]:
    size = {FIXED64: 8, FIXED32: 4}.get(wire_type)
    if wire_type == BYTES:
        size, position = varint(data, position)
    if size is None:
        raise InvalidArgument(f"proto: illegal wireType {wire_type}")
    if size > len(data) - position:
        raise InvalidArgument("unexpected EOF")
    return size, position


def signed(value: int) -> int:
    """Return the signed number that an unsigned 64-bit varint stands for."""
    return value - _WORD if value >= _SIGN else value


def put_varint(value: int) -> bytes:
    value &= _WORD - 1
    if value < 128:
        return bytes((value,))
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def put_number(number: int, value: int) -> bytes:
    return put_varint(number << 3 | VARINT) + put_varint(value)


def put_bytes(number: int, value: bytes) -> bytes:
    return put_varint(number << 3 | BYTES) + put_varint(len(value)) + value
