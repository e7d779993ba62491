"""Frames <-> bytes: the encoder, and the decoder of what comes in piece by piece.

    control   1 | version 15 bits | type 16 bits | flags 8 bits | length 24 bits | body
    data      0 | stream 31 bits                 | flags 8 bits | length 24 bits | payload

Invariant:    what is kept of the input is at most one control frame, which is limited: the payload of a data frame goes
              out in pieces, as it comes in.
Spec:         draft-mbelshe-httpbis-spdy-00, 2.2 and 2.6.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from jubako.cluster.apiserver.http.spdy import frames
from jubako.cluster.apiserver.http.spdy.frames import Frame, Kind
from jubako.errors import InvalidArgument

CONTROL_LIMIT_BYTES = 1 << 16
_VERSION = 3
_FIN, _ONE_WAY = 1, 2
_ID = 0x7FFFFFFF
_KINDS = frozenset(Kind)
_ONE, _TWO, _OPENING = struct.Struct(">I"), struct.Struct(">II"), struct.Struct(">IIH")


def encode(frame: Frame) -> bytes:
    """Return the bytes of a frame, whose data must be shorter than 16 MiB."""
    match frame:
        case frames.Data(stream, data, fin):
            return _TWO.pack(stream, fin << 24 | len(data)) + data
        case frames.SynStream(stream, block, fin, one_way):
            return _control(Kind.SYN_STREAM, _OPENING.pack(stream, 0, 0) + block, fin | one_way << 1)
        case frames.SynReply(stream, block, fin):
            return _control(Kind.SYN_REPLY, _ONE.pack(stream) + block, fin)
        case frames.Headers(stream, block, fin):
            return _control(Kind.HEADERS, _ONE.pack(stream) + block, fin)
        case frames.RstStream(stream, status):
            return _control(Kind.RST_STREAM, _TWO.pack(stream, status))
        case frames.Settings(entries):
            body = b"".join(_TWO.pack(*each) for each in entries)
            return _control(Kind.SETTINGS, _ONE.pack(len(entries)) + body)
        case frames.Ping(number):
            return _control(Kind.PING, _ONE.pack(number))
        case frames.GoAway(last, status):
            return _control(Kind.GOAWAY, _TWO.pack(last, status))
        case frames.WindowUpdate(stream, delta):
            return _control(Kind.WINDOW_UPDATE, _TWO.pack(stream, delta))
        case frames.Unknown(kind, body):
            return _control(kind, body)


def _control(kind: int, body: bytes, flags: int = 0) -> bytes:
    return _TWO.pack(1 << 31 | _VERSION << 16 | kind, flags << 24 | len(body)) + body


class Decoder:
    """Takes bytes as they come."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._stream, self._left, self._fin = 0, 0, False

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield what is whole. Raises InvalidArgument for what can be no frame; nothing more can be read then."""
        self._kept += data
        while (frame := self._piece() if self._left else self._next()) is not None:
            yield frame

    def _piece(self) -> Frame | None:
        """Take what there is of the payload of a data frame."""
        if not self._kept:
            return None
        data = bytes(self._kept[: self._left])
        del self._kept[: len(data)]
        self._left -= len(data)
        return frames.Data(self._stream, data, self._fin and not self._left)

    def _next(self) -> Frame | None:
        if len(self._kept) < _TWO.size:
            return None
        first, second = _TWO.unpack_from(self._kept)
        flags, length = second >> 24, second & 0xFFFFFF
        if first >> 31:
            return self._control(first, flags, length)
        del self._kept[: _TWO.size]
        if not length:
            return frames.Data(first, b"", bool(flags & _FIN))
        self._stream, self._left, self._fin = first, length, bool(flags & _FIN)
        return self._piece()

    def _control(self, first: int, flags: int, length: int) -> Frame | None:
        version = first >> 16 & 0x7FFF
        if version != _VERSION:
            raise InvalidArgument(f"SPDY: version {version} is not spoken here")
        if length > CONTROL_LIMIT_BYTES:
            raise InvalidArgument(f"SPDY: a control frame of {length} bytes")
        end = _TWO.size + length
        if len(self._kept) < end:
            return None
        body = bytes(self._kept[_TWO.size : end])
        del self._kept[:end]
        try:
            return _decoded(first & 0xFFFF, flags, body)
        except struct.error:
            raise InvalidArgument("SPDY: a control frame that is too short") from None


def _decoded(kind: int, flags: int, body: bytes) -> Frame:
    """Return a control frame; struct.error where it is too short."""
    if kind not in _KINDS:
        return frames.Unknown(kind, body)
    first, fin = _ONE.unpack_from(body)[0], bool(flags & _FIN)
    match kind:
        case Kind.SYN_STREAM:
            _OPENING.unpack_from(body)
            return frames.SynStream(first & _ID, body[_OPENING.size :], fin, bool(flags & _ONE_WAY))
        case Kind.SYN_REPLY:
            return frames.SynReply(first & _ID, body[_ONE.size :], fin)
        case Kind.HEADERS:
            return frames.Headers(first & _ID, body[_ONE.size :], fin)
        case Kind.RST_STREAM:
            return frames.RstStream(first & _ID, _second(body))
        case Kind.SETTINGS:
            return frames.Settings(_entries(first, body))
        case Kind.PING:
            return frames.Ping(first)
        case Kind.GOAWAY:
            return frames.GoAway(first & _ID, _second(body))
    return frames.WindowUpdate(first & _ID, _second(body) & _ID)


def _second(body: bytes) -> int:
    return int(_TWO.unpack_from(body)[1])


def _entries(count: int, body: bytes) -> tuple[tuple[int, int], ...]:
    """Return what SETTINGS has; it says itself how many, and is believed as far as it goes."""
    if len(body) < _ONE.size + count * _TWO.size:
        raise struct.error
    flagged = (_TWO.unpack_from(body, _ONE.size + index * _TWO.size) for index in range(count))
    return tuple((name & 0xFFFFFF, value) for name, value in flagged)
