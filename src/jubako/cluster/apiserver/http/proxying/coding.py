"""Content codings, taken off and put on again while a page streams by, no more than PIECE_BYTES of it at a time.

Spec: RFC 9110 8.4.1. What servers call deflate is with a frame (RFC 1950) or without one (RFC 1951): it stays as it is.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

PIECE_BYTES = 64 << 10
_GZIP, _FRAMED, _BARE = 31, 15, -15


class Coding:
    """None at all. Raises zlib.error for what is not coded as it says."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        yield data

    def rest(self) -> bytes:
        """Return what of the decoded is left at the end."""
        return b""

    def encode(self, data: bytes) -> bytes:
        return data

    def end(self) -> bytes:
        return b""


class Deflate(Coding):
    def __init__(self, bits: int = 0) -> None:
        """`bits` are zlib's; 0 finds out whether there is a frame."""
        self._bits = bits
        self._begin()

    def _begin(self) -> None:
        self._reader, self._writer = (
            zlib.decompressobj(self._bits or _BARE),
            zlib.compressobj(wbits=self._bits or _BARE),
        )

    def decode(self, data: bytes) -> Iterator[bytes]:
        if not self._bits and data:
            self._bits = _FRAMED if data[0] & 0xF == 8 and data[0] >> 4 < 8 else _BARE
            self._begin()
        while data:
            if self._reader.eof:
                if self._bits != _GZIP:
                    return
                self._reader = zlib.decompressobj(_GZIP)  # one more member
            yield self._reader.decompress(data, PIECE_BYTES)
            data = self._reader.unused_data if self._reader.eof else self._reader.unconsumed_tail

    def rest(self) -> bytes:
        left = self._reader.flush()
        if not self._reader.eof:
            raise zlib.error("the coded data breaks off")
        return left

    def encode(self, data: bytes) -> bytes:
        """What has come is worth sending, whatever may follow."""
        return self._writer.compress(data) + self._writer.flush(zlib.Z_SYNC_FLUSH) if data else b""

    def end(self) -> bytes:
        return self._writer.flush()


def coding(name: str) -> Coding | None:
    """Return what a Content-Encoding names; None for one that is not known here."""
    match name.strip().lower():
        case "" | "identity":
            return Coding()
        case "gzip" | "x-gzip":
            return Deflate(_GZIP)
        case "deflate":
            return Deflate()
    return None
