"""Writing archives: ustar headers, with a PAX header in front only where ustar can not say it.

Invariant: the same entries give the same bytes. User and group names are left empty.
Spec:      POSIX pax(1), "ustar Interchange Format".
"""

from __future__ import annotations

import os
from collections.abc import Callable

from jubako.errors import InvalidArgument
from jubako.image.layer.tar.entry import BLOCK_BYTES, NANOSECONDS, Entry
from jubako.image.layer.tar.header import byte_sum
from jubako.image.layer.tar.pax import XATTR_PREFIX

_OCTAL7_LIMIT = 1 << 21
_OCTAL11_LIMIT = 1 << 33
_NAME_BYTES, _PREFIX_BYTES, _LINK_BYTES = 100, 155, 100
_NO_NAMES_NO_DEVICE = b"ustar\x0000" + b"\0" * 64 + b"0000000\x000000000\0"
_PADDING = bytes(BLOCK_BYTES)
_END = bytes(2 * BLOCK_BYTES)
_PIECE_BYTES = 1 << 20


class Writer:
    """Writes an archive to `out`, which is called with pieces of 1 MiB; call finish() at the end, for the last one."""

    def __init__(self, out: Callable[[bytes], object]) -> None:
        self._out = out
        self._buffer = bytearray()
        self._padding = 0
        self._left = 0
        self.size_bytes = 0
        self.failure: OSError | None = None
        """What `out` raised, if it did: for those who must tell it from an error of what they read."""

    def add(self, entry: Entry, data: bytes = b"") -> None:
        """Write the header of `entry`, and its data if given here; otherwise write() must bring `entry.size` bytes."""
        self._finish_entry()
        buffer = self._buffer
        buffer += header(entry)
        self._left = entry.size
        self._padding = -entry.size % BLOCK_BYTES
        if data:
            self.write(data)
        elif len(buffer) >= _PIECE_BYTES:
            self._flush()

    def write(self, data: bytes | memoryview) -> None:
        """Add to the data of the present entry."""
        self._left -= len(data)
        if self._left < 0:
            raise InvalidArgument("more data than the entry's size")
        self._buffer += data
        if len(self._buffer) >= _PIECE_BYTES:
            self._flush()

    def finish(self) -> None:
        """Write the end of the archive."""
        self._finish_entry()
        self._buffer += _END
        self._flush()
        self._give(bytes(self._buffer))
        self._buffer.clear()

    def _finish_entry(self) -> None:
        if self._left:
            raise InvalidArgument("less data than the entry's size")
        if self._padding:
            self._buffer += _PADDING[: self._padding]
            self._padding = 0

    def _flush(self) -> None:
        while len(self._buffer) >= _PIECE_BYTES:
            with memoryview(self._buffer) as view:
                piece = bytes(view[:_PIECE_BYTES])
            del self._buffer[:_PIECE_BYTES]
            self._give(piece)

    def _give(self, data: bytes) -> None:
        self.size_bytes += len(data)
        try:
            self._out(data)
        except OSError as error:
            self.failure = error
            raise


def header(entry: Entry) -> bytes:
    """The block of `entry`, with a PAX header in front if it needs one."""
    name, prefix, records = _split_name(entry.name), b"", _pax_records(entry)
    if name is None:
        records[b"path"] = entry.name
        name = entry.name[:_NAME_BYTES]
    elif len(name) > _NAME_BYTES:
        cut = len(name) - _NAME_BYTES - 1
        cut = name.index(b"/", max(cut, 0))
        prefix, name = name[:cut], name[cut + 1 :]
    block = _block(entry, name, prefix)
    return _pax_header(entry, records) + block if records else block


def _split_name(name: bytes) -> bytes | None:
    """The name if ustar's two fields can hold it, or None."""
    if len(name) <= _NAME_BYTES:
        return name
    cut = name.find(b"/", len(name) - _NAME_BYTES - 1)
    return name if 0 < cut <= _PREFIX_BYTES and cut < len(name) - 1 else None


def _block(entry: Entry, name: bytes, prefix: bytes) -> bytes:
    device = _NO_NAMES_NO_DEVICE
    if entry.device != (0, 0):
        device = device[:72] + b"%07o\0%07o\0" % entry.device
    start = b"%b%07o\0%07o\0%07o\0%011o\0%011o\0" % (
        name.ljust(_NAME_BYTES, b"\0"),
        entry.mode,
        entry.uid if entry.uid < _OCTAL7_LIMIT else 0,
        entry.gid if entry.gid < _OCTAL7_LIMIT else 0,
        entry.size if entry.size < _OCTAL11_LIMIT else 0,
        _seconds(entry),
    )
    end = b"%b%b%b%b\0\0\0\0\0\0\0\0\0\0\0\0" % (
        entry.kind,
        entry.link[:_LINK_BYTES].ljust(_LINK_BYTES, b"\0"),
        device,
        prefix.ljust(_PREFIX_BYTES, b"\0"),
    )
    return b"%b%06o\0 %b" % (start, byte_sum(start) + byte_sum(end) + 8 * 32, end)


def _seconds(entry: Entry) -> int:
    seconds = entry.mtime_ns // NANOSECONDS
    return seconds if 0 <= seconds < _OCTAL11_LIMIT else 0


def _pax_records(entry: Entry) -> dict[bytes, bytes]:
    records: dict[bytes, bytes] = {}
    if entry.mtime_ns % NANOSECONDS or not 0 <= entry.mtime_ns < _OCTAL11_LIMIT * NANOSECONDS:
        records[b"mtime"] = _time(entry.mtime_ns)
    if entry.uid >= _OCTAL7_LIMIT:
        records[b"uid"] = b"%d" % entry.uid
    if entry.gid >= _OCTAL7_LIMIT:
        records[b"gid"] = b"%d" % entry.gid
    if entry.size >= _OCTAL11_LIMIT:
        records[b"size"] = b"%d" % entry.size
    if len(entry.link) > _LINK_BYTES:
        records[b"linkpath"] = entry.link
    for name in sorted(entry.xattrs):
        records[XATTR_PREFIX + os.fsencode(name)] = entry.xattrs[name]
    return records


def _time(time_ns: int) -> bytes:
    sign = b"-" if time_ns < 0 else b""
    seconds, fraction = divmod(abs(time_ns), NANOSECONDS)
    return b"%b%d.%09d" % (sign, seconds, fraction) if fraction else b"%b%d" % (sign, seconds)


def _pax_header(entry: Entry, records: dict[bytes, bytes]) -> bytes:
    data = b"".join(_record(key, records[key]) for key in sorted(records))
    special = Entry(b"PaxHeaders.0/" + entry.name.rstrip(b"/").rpartition(b"/")[2][:80], b"x", 0o644, size=len(data))
    return _block(special, special.name, b"") + data + _PADDING[: -len(data) % BLOCK_BYTES]


def _record(key: bytes, value: bytes) -> bytes:
    """The length counts its own digits."""
    rest = b" %b=%b\n" % (key, value)
    length = len(rest)
    while len(b"%d" % length) + len(rest) != length:
        length = len(b"%d" % length) + len(rest)
    return b"%d%b" % (length, rest)
