"""The types that have one form in JSON and another in protobuf: quantities, moments, int-or-string, raw JSON."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from jubako.cluster.types import times
from jubako.cluster.types.document import JSON, array, integer, text
from jubako.cluster.types.protobuf.wire import Value, fields, last_fields, put_bytes, put_number, signed
from jubako.cluster.types.quantity import canonical
from jubako.errors import InvalidArgument


def _number(value: Value | None) -> int:
    return signed(value) if isinstance(value, int) else 0


def _text(value: Value | None) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _quantity(data: bytes) -> JSON:
    return canonical(_text(last_fields(data).get(1)) or "0")


def _put_quantity(value: JSON) -> bytes:
    return put_bytes(1, text(value).encode())


def _int_or_string(data: bytes) -> JSON:
    found = last_fields(data)
    if _number(found.get(1)) == 1:
        return _text(found.get(3))
    return (_number(found.get(2)) + 2**31) % 2**32 - 2**31


def _put_int_or_string(value: JSON) -> bytes:
    is_text = isinstance(value, str)
    return put_number(1, int(is_text)) + put_number(2, integer(value)) + put_bytes(3, text(value).encode())


def _time(data: bytes) -> JSON:
    if not data:
        return None
    found = last_fields(data)
    return times.render(times.from_unix(_number(found.get(1)), 0))


def _micro_time(data: bytes) -> JSON:
    if not data:
        return None
    found = last_fields(data)
    return times.render_micro(times.from_unix(_number(found.get(1)), _number(found.get(2))))


def _put_time(value: JSON) -> bytes:
    if not isinstance(value, str):
        return b""
    seconds, nanos = times.to_unix(times.parse(value))
    return put_number(1, seconds) + put_number(2, nanos)


def _raw(data: bytes) -> JSON:
    raw = last_fields(data).get(1)
    if not isinstance(raw, bytes) or not raw:
        return None
    try:
        value: JSON = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise InvalidArgument("a raw extension is not JSON") from None
    return value


def _put_raw(value: JSON) -> bytes:
    return b"" if value is None else put_bytes(1, msgspec.json.encode(value))


def _strings(data: bytes) -> JSON:
    return [_text(value) for number, _, value in fields(data) if number == 1]


def _put_strings(value: JSON) -> bytes:
    return b"".join(put_bytes(1, text(item).encode()) for item in array(value))


DECODERS: dict[str, Callable[[bytes], JSON]] = {
    "Quantity": _quantity,
    "IntOrString": _int_or_string,
    "Time": _time,
    "MicroTime": _micro_time,
    "RawExtension": _raw,
    "FieldsV1": _raw,
    "Strings": _strings,
}
ENCODERS: dict[str, Callable[[JSON], bytes]] = {
    "Quantity": _put_quantity,
    "IntOrString": _put_int_or_string,
    "Time": _put_time,
    "MicroTime": _put_time,
    "RawExtension": _put_raw,
    "FieldsV1": _put_raw,
    "Strings": _put_strings,
}
