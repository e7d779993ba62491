"""PAX extended headers: records that override or add to the header that follows.

Spec: POSIX pax(1), "pax Extended Header"; star's SCHILY.xattr; GNU tar manual, "Storing Sparse Files".
"""

from __future__ import annotations

import os

from jubako.errors import DataLoss
from jubako.image.layer.tar.entry import NANOSECONDS, Entry, Regions, clamped_time

XATTR_PREFIX = b"SCHILY.xattr."
_SPARSE_PREFIX = b"GNU.sparse."
# What was set in 0.0 by repeated records, and so is collected in order instead of by key.
_SPARSE_PIECES = (b"GNU.sparse.offset", b"GNU.sparse.numbytes")


class Extended:
    """The records that wait for their header."""

    __slots__ = ("pieces", "records")

    def __init__(self) -> None:
        self.records: dict[bytes, bytes] = {}
        self.pieces: list[int] = []

    def read(self, data: bytes) -> None:
        """Add the records of one extended header; DataLoss if it is malformed."""
        position = 0
        while position < len(data):
            key, value, position = _record(data, position)
            if key in _SPARSE_PIECES:
                self.pieces.append(decimal(value))
            else:
                self.records[key] = value


def _record(data: bytes, position: int) -> tuple[bytes, bytes, int]:
    """`LENGTH KEY=VALUE\\n`, where LENGTH counts all of it."""
    space = data.find(b" ", position, position + 20)
    length = decimal(data[position:space]) if space > 0 else 0
    end = position + length
    if length < 5 or end > len(data) or data[end - 1] != 0x0A:
        raise _malformed()
    key, equals, value = data[space + 1 : end - 1].partition(b"=")
    if not equals or not key or b"\0" in key:
        raise _malformed()
    return key, value, end


def apply(extended: Extended, entry: Entry) -> None:
    """Let the records override the fields of `entry`; sparse regions other than those in the data are set too."""
    for key, value in extended.records.items():
        if key.startswith(XATTR_PREFIX):
            entry.xattrs[os.fsdecode(key[len(XATTR_PREFIX) :])] = value
        elif not value:
            # POSIX: an empty value leaves the header's own.
            continue
        elif key in (b"path", b"linkpath"):
            _set_name(entry, key, value)
        elif key == b"size":
            entry.size = entry.real_size = decimal(value)
        elif key == b"uid":
            entry.uid = decimal(value)
        elif key == b"gid":
            entry.gid = decimal(value)
        elif key == b"mtime":
            entry.mtime_ns = time_ns(value)
    if extended.pieces or any(key.startswith(_SPARSE_PREFIX) for key in extended.records):
        _apply_sparse(extended, entry)


def has_map_in_data(extended: Extended) -> bool:
    """Whether this is GNU sparse 1.0, whose map stands in front of the data."""
    return extended.records.get(b"GNU.sparse.major") == b"1" and extended.records.get(b"GNU.sparse.minor") == b"0"


def _apply_sparse(extended: Extended, entry: Entry) -> None:
    records = extended.records
    name = records.get(b"GNU.sparse.name")
    if name is not None:
        _set_name(entry, b"path", name)
    real_size = records.get(b"GNU.sparse.realsize") or records.get(b"GNU.sparse.size")
    if real_size is None:
        return
    entry.real_size = decimal(real_size)
    numbers = extended.pieces
    text_map = records.get(b"GNU.sparse.map")
    if text_map is not None:
        numbers = [decimal(part) for part in text_map.split(b",")] if text_map else []
    if not has_map_in_data(extended):
        entry.regions = pairs(numbers)


def pairs(numbers: list[int]) -> Regions:
    if len(numbers) % 2:
        raise DataLoss("the archive is corrupt: a sparse map has an offset without a length")
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 20:
        raise DataLoss(f"the archive is corrupt: {text[:24]!r} is not a number")
    return int(text)


def time_ns(text: bytes) -> int:
    """Seconds with a fraction, exactly: `-1.25` is a second and a quarter before 1970."""
    sign = -1 if text.startswith(b"-") else 1
    seconds, _, fraction = text.removeprefix(b"-").partition(b".")
    if fraction and not fraction.isdigit():
        raise DataLoss(f"the archive is corrupt: {text[:40]!r} is not a time")
    nanoseconds = decimal(seconds or b"0") * NANOSECONDS + int(fraction[:9].ljust(9, b"0") or b"0")
    return clamped_time(sign * nanoseconds)


def _set_name(entry: Entry, key: bytes, value: bytes) -> None:
    if b"\0" in value:
        raise _malformed()
    if key == b"path":
        entry.name = value
    else:
        entry.link = value


def _malformed() -> DataLoss:
    return DataLoss("the archive is corrupt: a malformed PAX record")
