"""Which compressor made a blob, of those that can be run again: guessed from its beginning, in words that last.

Methods:  "none"; "gzip" and "zstd", ours at the pinned level; "gzip:LEVEL" and "zstd:LEVEL", ours at another;
          "deflate:LEVEL:MEMORY", zlib behind a gzip header that is kept. A guess is only that: whether the whole comes
          out the same is for the caller to see.
Foreign:  what Go's, Rust's or GNU's own deflate made has no method here.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from struct import pack

from jubako.errors import DataLoss
from jubako.image.layer.codec import Compressor, compressor, detect

GUESS_BYTES = 2 << 20
"""So much of the plain bytes is compressed for each guess."""

_HEADER_BYTES = 10
_EXTRA, _NAME, _COMMENT, _CHECKSUM = 4, 8, 16, 2
_ZLIB_LEVELS = (6, 9, 1, 5, 7, 8, 4, 3, 2)
_ZLIB_MEMORY = (8, 9)
_ZSTD_LEVELS = (1, 6, 9, 12, 15, 19, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 18)


def maker(method: str, header: bytes = b"") -> Compressor:
    """A fresh compressor for a method; DataLoss for one that is unknown here."""
    kind, _, levels = method.partition(":")
    try:
        if kind == "none":
            return _Plain()
        if kind == "deflate":
            level, memory = levels.split(":")
            return _Gzip(header, int(level), int(memory))
        if kind in ("gzip", "zstd"):
            return compressor(kind, int(levels) if levels else None)
    except ValueError:
        pass
    raise DataLoss(f"unknown compression method {method!r}")


def version(method: str) -> str:
    """What must stay the same for a method to give the same bytes."""
    if method == "gzip":
        import isal

        return f"isa-l {isal.ISAL_VERSION}"
    if method.startswith("zstd"):
        import zstandard

        return "zstd " + ".".join(str(part) for part in zstandard.ZSTD_VERSION)
    return "" if method == "none" else f"zlib {zlib.ZLIB_RUNTIME_VERSION}"


def guesses(blob: bytes, plain: bytes, *, whole: bool) -> Iterator[tuple[str, bytes]]:
    """Methods, each with the header to keep, that make the beginning of `blob` of the beginning `plain`.

    `whole` says that both are all there is.
    """
    compression = detect(blob[:6])
    if compression == "none":
        yield "none", b""
    header = _gzip_header(blob) if compression == "gzip" else b""
    for method in _methods(compression):
        kept = header if method.startswith("deflate") else b""
        made = maker(method, kept)
        found = made.compress(plain) + (made.flush() if whole else b"")
        if blob[: len(found)] == found:
            yield method, kept


def _methods(compression: str) -> Iterator[str]:
    if compression in ("gzip", "zstd"):
        yield compression
    if compression == "gzip":
        yield "gzip:0"  # the one level where it matters in which pieces the bytes come
        yield from (f"deflate:{level}:{memory}" for memory in _ZLIB_MEMORY for level in _ZLIB_LEVELS)
    if compression == "zstd":
        yield from (f"zstd:{level}" for level in _ZSTD_LEVELS)


def _gzip_header(blob: bytes) -> bytes:
    """RFC 1952, "Member header and trailer". Cut short, or without an end, it simply fits no method."""
    end, flags = _HEADER_BYTES, blob[3]
    if flags & _EXTRA:
        end += 2 + int.from_bytes(blob[end : end + 2], "little")
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            end = blob.find(b"\0", end) + 1 or len(blob)
    return blob[: end + (2 if flags & _CHECKSUM else 0)]


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


class _Gzip:
    """One gzip member by zlib, behind any header."""

    def __init__(self, header: bytes, level: int, memory: int) -> None:
        self._pending = header
        self._deflate = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, memory)
        self._checksum = self._size = 0

    def compress(self, data: bytes, /) -> bytes:
        self._checksum = zlib.crc32(data, self._checksum)
        self._size += len(data)
        made, self._pending = self._pending + self._deflate.compress(data), b""
        return made

    def flush(self) -> bytes:
        return self._pending + self._deflate.flush() + pack("<II", self._checksum, self._size & 0xFFFFFFFF)
