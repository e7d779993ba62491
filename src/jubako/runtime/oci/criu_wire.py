"""Messages of criu's service in the protobuf encoding: numbered fields, each an integer or bytes.

Spec: protocol buffers, "Encoding"; criu, images/rpc.proto.
"""

from __future__ import annotations

from collections.abc import Iterable

from jubako.errors import DataLoss

Value = bool | int | str | bytes
_VARINT, _BYTES = 0, 2
_UINT64 = (1 << 64) - 1


def encode(fields: Iterable[tuple[int, Value]]) -> bytes:
    """One message; a repeated field is given repeatedly."""
    return b"".join(_field(number, value) for number, value in fields)


def _field(number: int, value: Value) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value & _UINT64)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | _BYTES) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def decode(data: bytes) -> dict[int, int | bytes]:
    """The last value of each field. Raises DataLoss for what is no such message."""
    found: dict[int, int | bytes] = {}
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        value, at = _read_varint(data, at)
        if tag & 7 == _BYTES and value <= len(data) - at:
            found[tag >> 3] = data[at : at + value]
            at += value
        elif tag & 7 == _VARINT:
            found[tag >> 3] = value
        else:
            raise DataLoss(f"criu sent a message that can not be read: field {tag >> 3}")
    return found


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 64, 7):
        if at >= len(data):
            break
        number |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return number, at
    raise DataLoss("criu sent a message that ends too early")
