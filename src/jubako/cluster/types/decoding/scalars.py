"""One reader for each scalar of the table: a JSON value -> its canonical form, or Mismatch."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable

from jubako.cluster.types import times
from jubako.cluster.types.document import JSON
from jubako.cluster.types.quantity import canonical
from jubako.errors import InvalidArgument

MAX_RAW_DEPTH = 150


class Mismatch(Exception):
    """The value is of another type. The text says what it is; empty: its JSON type; after a "!": the whole message."""


def kind_of(value: JSON) -> str:
    """Return what Go calls a JSON value of this type."""
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"
    return "null"


def sound(value: str) -> str:
    """Return text that UTF-8 can hold: the lone surrogate of an escape is replaced, as Go does."""
    return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _string(value: JSON) -> JSON:
    if not isinstance(value, str):
        raise Mismatch
    return sound(value)


def _bool(value: JSON) -> JSON:
    if not isinstance(value, bool):
        raise Mismatch
    return value


def _integer(low: int, high: int) -> Callable[[JSON], JSON]:
    def read(value: JSON) -> JSON:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Mismatch
        if not isinstance(value, int) or not low <= value <= high:
            raise Mismatch(f"number {value}")
        return value

    return read


def _double(value: JSON) -> JSON:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Mismatch
    return value


def _bytes(value: JSON) -> JSON:
    if not isinstance(value, str):
        raise Mismatch
    compact = re.sub(r"[\r\n]", "", value)
    try:
        base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError):
        raise Mismatch(f"!illegal base64 data at input byte {_first_illegal(compact)}") from None
    return compact


def _first_illegal(value: str) -> int:
    found = re.match(r"[A-Za-z0-9+/]*", value)
    end = found.end() if found else 0
    return end if end < len(value) and value[end] != "=" else len(value) - len(value) % 4


def _quantity(value: JSON) -> JSON:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise Mismatch("!quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    return _parsed(canonical, str(value).strip())


def _int_or_string(value: JSON) -> JSON:
    if isinstance(value, str):
        return sound(value)
    return _integer(-(2**31), 2**31 - 1)(value)


def _parsed(read: Callable[[str], JSON], value: str) -> JSON:
    try:
        return read(value)
    except InvalidArgument as error:
        raise Mismatch("!" + error.message) from None


def _time(value: JSON) -> JSON:
    return _parsed(lambda given: times.render(times.parse(given)), str(_string(value)))


def _micro_time(value: JSON) -> JSON:
    return _parsed(lambda given: times.render_micro(times.parse(given)), str(_string(value)))


def _raw(value: JSON) -> JSON:
    return _sound_all(value, 0)


def _sound_all(value: JSON, depth: int) -> JSON:
    if depth > MAX_RAW_DEPTH:
        raise Mismatch("!exceeded max depth")
    match value:
        case str():
            return sound(value)
        case list():
            return [_sound_all(item, depth + 1) for item in value]
        case dict():
            return {sound(key): _sound_all(item, depth + 1) for key, item in value.items()}
        case float() if not math.isfinite(value):
            raise Mismatch("!a number is out of range")
        case int() if not -(2**63) <= value < 2**63:
            return _finite(value)
    return value


def _finite(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        raise Mismatch("!a number is out of range") from None


def _strings(value: JSON) -> JSON:
    if not isinstance(value, list):
        raise Mismatch
    return [_string(item) for item in value]


READERS: dict[str, Callable[[JSON], JSON]] = {
    "string": _string,
    "bool": _bool,
    "int32": _integer(-(2**31), 2**31 - 1),
    "int64": _integer(-(2**63), 2**63 - 1),
    "uint32": _integer(0, 2**32 - 1),
    "byte": _integer(0, 255),
    "double": _double,
    "bytes": _bytes,
    "any": _raw,
    "Quantity": _quantity,
    "IntOrString": _int_or_string,
    "Time": _time,
    "MicroTime": _micro_time,
    "RawExtension": _raw,
    "FieldsV1": _raw,
    "Strings": _strings,
}
