"""The 512-byte header: ustar, GNU and V7 fields to an Entry.

Spec: POSIX pax(1), "ustar Interchange Format"; GNU tar manual, "Basic Tar Format". Where they leave room, this reads
      what Go's archive/tar reads, since that is what made the images.
"""

from __future__ import annotations

from struct import Struct
from zlib import adler32

from jubako.errors import DataLoss
from jubako.image.layer.tar.entry import BLOCK_BYTES, DIRECTORY, FILE, NANOSECONDS, Entry, clamped_time

# name; mode, uid and gid; size; mtime; checksum; type; link name; magic; (user and group names); device; prefix
_FIELDS = Struct("100s24s12s12s8sc100s8s64x16s155s12x")
_NO_DEVICE = (b"\0" * 16, b"0000000\x000000000\0", b"000000 \x00000000 \0")
_CACHE_LIMIT = 4096


class HeaderDecoder:
    """Decodes headers. The same owners and times come again and again: their decoded form is kept."""

    def __init__(self) -> None:
        self._owners: dict[bytes, tuple[int, int, int]] = {}
        self._times: dict[bytes, int] = {}

    def decode(self, view: memoryview, position: int) -> Entry:
        """Decode the block at `position`; DataLoss if its checksum or a number is wrong."""
        name, owner, size, mtime, checksum, kind, link, magic, device, prefix = _FIELDS.unpack_from(view, position)
        verify_checksum(view, position, checksum)
        name = name.partition(b"\0")[0]
        if prefix[0] and magic[:6] == b"ustar\0":
            name = prefix.partition(b"\0")[0] + b"/" + name
        mode, uid, gid = self._owners.get(owner) or self._owner(owner)
        if kind == b"\0":
            # Before POSIX a directory was a file whose name ends in a slash.
            kind = DIRECTORY if name.endswith(b"/") else FILE
        elif kind == b"7":
            kind = FILE
        return Entry(
            name,
            kind,
            mode,
            uid,
            gid,
            number(size),
            self._times.get(mtime) or self._time(mtime),
            link.partition(b"\0")[0] if link[0] else b"",
            (0, 0) if device in _NO_DEVICE else (number(device[:8]), number(device[8:])),
        )

    def _owner(self, field: bytes) -> tuple[int, int, int]:
        owner = (number(field[:8]) & 0o7777, number(field[8:16]), number(field[16:]))
        if len(self._owners) < _CACHE_LIMIT:
            self._owners[field] = owner
        return owner

    def _time(self, field: bytes) -> int:
        time_ns = clamped_time(number(field, signed=True) * NANOSECONDS)
        if len(self._times) < _CACHE_LIMIT:
            self._times[field] = time_ns
        return time_ns


def verify_checksum(view: memoryview, position: int, field: bytes) -> None:
    """The sum of the header's bytes, with the checksum's own eight taken as spaces, is what the field says."""
    middle = position + BLOCK_BYTES // 2
    total = byte_sum(view[position:middle]) + byte_sum(view[middle : position + BLOCK_BYTES])
    expected = number(field)
    if total - sum(field) + 8 * 32 != expected and not _signed_sum_is(view, position, field, expected):
        raise DataLoss("the archive is corrupt: a header's checksum is wrong")


def byte_sum(data: bytes | memoryview) -> int:
    """The sum of at most 256 bytes, or of text as in a header's halves, at C speed."""
    # adler32's lower half is 1 + the sum of the bytes modulo 65521, which 256 bytes can not reach.
    return (adler32(data) & 0xFFFF) - 1


def _signed_sum_is(view: memoryview, position: int, field: bytes, expected: int) -> bool:
    """Some old tars summed signed bytes."""
    total = sum(view[position : position + BLOCK_BYTES].cast("b"))
    return total - sum(memoryview(field).cast("b")) + 8 * 32 == expected


def number(field: bytes, *, signed: bool = False) -> int:
    """An octal field, or GNU's base-256 for what does not fit; negative only where `signed`."""
    if field[0] & 0x80:
        value = _base256(field)
    else:
        text = field.strip(b" \0").partition(b"\0")[0]
        if not text:
            return 0
        if not text.isdigit():
            raise DataLoss(f"the archive is corrupt: {text[:16]!r} is not a number")
        try:
            value = int(text, 8)
        except ValueError:
            raise DataLoss(f"the archive is corrupt: {text[:16]!r} is not an octal number") from None
    if value < 0 and not signed:
        raise DataLoss("the archive is corrupt: a negative number in a header")
    return value


def _base256(field: bytes) -> int:
    if field[0] & 0x40:
        return int.from_bytes(field, "big", signed=True)
    return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
