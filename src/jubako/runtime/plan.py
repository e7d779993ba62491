"""The plan on the wire: a flat list of operations for the executor, as executor/plan.h draws it."""

from __future__ import annotations

import functools
import os
import struct

from jubako.errors import InvalidArgument
from jubako.runtime import opcodes

_HEADER = struct.Struct("=IHHII")
_PREFIX = struct.Struct("=IHH")
_LENGTH = struct.Struct("=I")
_INTEGERS = [struct.Struct(f"={count}q") for count in range(8)]
_PADDING = [b"\0" * count for count in range(8)]

Text = str | bytes


@functools.lru_cache(1024)  # most operations are the same in every container
def _operation(code: int, *values: int | Text) -> bytes:
    count = opcodes.INTEGERS[code]
    parts = [_INTEGERS[count].pack(*values[:count])]
    for value in values[count:]:
        data = value if isinstance(value, bytes) else _encoded(str(value))
        parts += (_LENGTH.pack(len(data)), data, b"\0")
    body = b"".join(parts)
    padding = -(_PREFIX.size + len(body)) % 8
    prefix = _PREFIX.pack(_PREFIX.size + len(body) + padding, code, len(values) - count)
    return prefix + body + _PADDING[padding]


def _encoded(text: str) -> bytes:
    try:
        data = os.fsencode(text)
    except UnicodeEncodeError:
        raise InvalidArgument(f"this can not be encoded: {text!r}") from None
    if b"\0" in data:
        raise InvalidArgument(f"a NUL can not be part of this: {text!r}")
    return data


class Plan:
    """Operations in the order in which they are performed; the monitor's come first, `encode` sees to that."""

    def __init__(self) -> None:
        self._monitor: list[bytes] = []
        self._init: list[bytes] = []
        self._strings = 0

    def add(self, code: int, *values: int | Text) -> None:
        """Append one operation: its integers, then its strings (operations.h names them)."""
        self._strings += len(values) - opcodes.INTEGERS[code] + 1  # the end of its list takes a place, too
        if self._strings > opcodes.PLAN_STRINGS_MAX:
            raise InvalidArgument(f"too many arguments, variables and options: more than {opcodes.PLAN_STRINGS_MAX}")
        try:
            (self._monitor if code < opcodes.PROPAGATION else self._init).append(_operation(code, *values))
        except struct.error:
            numbers = ", ".join(map(str, values[: opcodes.INTEGERS[code]]))
            name = opcodes.NAMES[code].lower().replace("_", " ")
            raise InvalidArgument(f"{name}: a number is out of range: {numbers}") from None

    def encode(self) -> bytes:
        body = b"".join(self._monitor) + b"".join(self._init)
        self._check(len(body))
        header = _HEADER.pack(
            opcodes.PLAN_MAGIC, opcodes.PLAN_VERSION, 0, _HEADER.size + len(body), len(self._monitor) + len(self._init)
        )
        return header + body

    def _check(self, body_bytes: int) -> None:
        """What the executor has room for."""
        count = len(self._monitor) + len(self._init)
        if count > opcodes.PLAN_OPERATIONS_MAX:
            most = opcodes.PLAN_OPERATIONS_MAX
            raise InvalidArgument(f"too many mounts, devices, masked paths and the like: {count} steps, at most {most}")
        if _HEADER.size + body_bytes > opcodes.PLAN_BYTES_MAX:
            most = opcodes.PLAN_BYTES_MAX
            raise InvalidArgument(f"the specification is too large: {body_bytes} bytes as steps, at most {most}")
