"""Names and values <-> the compressed block in a frame.

    block     zlib, one stream for all blocks of a connection in one direction, each flushed to a whole byte
    within    count, then for each: length, name, length, value; all numbers of four bytes

Invariant:    a block never becomes longer than LIMIT_BYTES, whatever it promises.
Spec:         draft-mbelshe-httpbis-spdy-00, 2.6.10.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

from jubako.errors import InvalidArgument

LIMIT_BYTES = 1 << 16
_NUMBER = struct.Struct(">I")

# Section 2.6.10.1: what both ends compress with, given here as it is put together: words with their lengths, then text.
_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie "
    "keep-alive origin"
)
_TEXT = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _counted(text: bytes) -> bytes:
    return _NUMBER.pack(len(text)) + text


DICTIONARY = b"".join(_counted(word.replace("_", " ").encode()) for word in _WORDS.split()) + _TEXT.encode()


class Compressor:
    """The blocks that one end sends, in their order."""

    def __init__(self) -> None:
        self._zlib = zlib.compressobj(zdict=DICTIONARY)

    def block(self, headers: Mapping[str, str]) -> bytes:
        """Return names, which must be lower case, and values as a block."""
        pairs = (_counted(name.encode()) + _counted(value.encode()) for name, value in headers.items())
        plain = _NUMBER.pack(len(headers)) + b"".join(pairs)
        return self._zlib.compress(plain) + self._zlib.flush(zlib.Z_SYNC_FLUSH)


class Decompressor:
    """The blocks that one end gets, in their order: each must be given, since the next one builds on it."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zdict=DICTIONARY)

    def headers(self, block: bytes) -> dict[str, str]:
        """Return names and values. Raises InvalidArgument; nothing more can be read then."""
        try:
            plain = self._zlib.decompress(block, LIMIT_BYTES)
        except zlib.error as error:
            raise InvalidArgument(f"SPDY: headers can not be decompressed: {error}") from None
        if self._zlib.unconsumed_tail or self._zlib.eof:
            raise InvalidArgument("SPDY: headers are too long, or the last of their stream")
        return _headers(plain)


def _headers(plain: bytes) -> dict[str, str]:
    reader = _Reader(plain)
    found: dict[str, str] = {}
    for _ in range(reader.number()):
        name, value = reader.text().lower(), reader.text()
        if not name or name in found:
            raise InvalidArgument("SPDY: a header without a name, or twice")
        found[name] = value
    return found


class _Reader:
    def __init__(self, plain: bytes) -> None:
        self._plain, self._at = plain, 0

    def number(self) -> int:
        return int(_NUMBER.unpack(self._take(_NUMBER.size))[0])

    def text(self) -> str:
        return self._take(self.number()).decode("utf-8", "replace")

    def _take(self, size: int) -> bytes:
        taken = self._plain[self._at : self._at + size]
        if len(taken) < size:
            raise InvalidArgument("SPDY: headers are cut off")
        self._at += size
        return taken
