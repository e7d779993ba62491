"""The server's side of one connection: which streams there are, and what is answered to what.

Model:        a stream lives until both ends have finished, or one has reset it. What is to be sent gathers until it is
              taken; the caller sends it before it reads on, so that it stays small.
Invariant:    what can not be understood ends the connection with GOAWAY; what concerns one stream resets that one.
              There are never more than STREAMS_MAX of them.
Spec:         draft-mbelshe-httpbis-spdy-00, 2.3 and 2.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from jubako.cluster.apiserver.http.spdy import frames
from jubako.cluster.apiserver.http.spdy.codec import Decoder, encode
from jubako.cluster.apiserver.http.spdy.frames import Frame, Leaving, Reset
from jubako.cluster.apiserver.http.spdy.headers import Compressor, Decompressor
from jubako.errors import InvalidArgument

STREAMS_MAX = 1024


class Opened(msgspec.Struct, frozen=True):
    """The client has begun a stream, and its reply is on its way."""

    stream: int
    headers: dict[str, str]


class Received(msgspec.Struct, frozen=True):
    stream: int
    data: bytes


class Finished(msgspec.Struct, frozen=True):
    """The client sends no more on a stream."""

    stream: int


class WasReset(msgspec.Struct, frozen=True):
    """A stream is over."""

    stream: int


Event: TypeAlias = Opened | Received | Finished | WasReset


class _Ends(msgspec.Struct):
    """Which ends of a stream have finished."""

    ours: bool
    theirs: bool = False


class Session:
    """`over` is True when nothing that comes in is of interest any more: an end has left, and no stream is open."""

    def __init__(self) -> None:
        self.over = self._going = False
        self._decoder, self._compressor, self._decompressor = Decoder(), Compressor(), Decompressor()
        self._streams: dict[int, _Ends] = {}
        self._last = self._pings = 0
        self._out: list[bytes] = []

    def receive(self, data: bytes) -> Iterator[Event]:
        """Yield what the client did."""
        try:
            for frame in self._decoder.feed(data):
                yield from self._handle(frame)
                if self.over:
                    return
        except InvalidArgument:
            self.leave(Leaving.PROTOCOL_ERROR)

    def take(self) -> bytes:
        """Return what is to be sent now."""
        out, self._out = b"".join(self._out), []
        return out

    def has(self, stream: int) -> bool:
        """Whether a stream is open at either end."""
        return stream in self._streams

    def send(self, stream: int, data: bytes) -> bool:
        """Send data, less than 16 MiB, on a stream; tells whether it is still there to be sent on."""
        ends = self._streams.get(stream)
        if ends is None or ends.ours or self.over:
            return False
        self._put(frames.Data(stream, data))
        return True

    def finish(self, stream: int) -> None:
        """Send no more on a stream."""
        ends = self._streams.get(stream)
        if ends is not None and not ends.ours:
            self._put(frames.Data(stream, b"", fin=True))
            ends.ours = True
            self._forget_ended(stream, ends)

    def reset(self, stream: int, status: Reset) -> None:
        """End a stream at once."""
        self._streams.pop(stream, None)
        self._put(frames.RstStream(stream, status))

    def ping(self) -> None:
        """Ask whether the client is there."""
        self._pings += 2
        self._put(frames.Ping(self._pings & 0xFFFFFFFF))

    def leave(self, status: Leaving) -> None:
        """End the connection."""
        if not self.over:
            self._put(frames.GoAway(self._last, status))
        self.over = True

    def _put(self, frame: Frame) -> None:
        self._out.append(encode(frame))

    def _handle(self, frame: Frame) -> Iterator[Event]:
        match frame:
            case frames.SynStream():
                yield from self._open(frame)
            case frames.Data(stream, data, fin):
                yield from self._data(stream, data, fin)
            case frames.SynReply(stream, block, fin) | frames.Headers(stream, block, fin):
                self._decompressor.headers(block)
                yield from self._data(stream, b"", fin)
            case frames.RstStream(stream, _):
                if self._streams.pop(stream, None):
                    yield WasReset(stream)
            case frames.Ping(number) if number % 2:
                self._put(frame)
            case frames.GoAway():
                self._going = True
        self.over = self.over or (self._going and not self._streams)

    def _open(self, frame: frames.SynStream) -> Iterator[Event]:
        headers = self._decompressor.headers(frame.block)
        if frame.stream % 2 == 0 or frame.stream <= self._last:
            raise InvalidArgument(f"SPDY: stream {frame.stream} can not begin after stream {self._last}")
        self._last = frame.stream
        if self._going or len(self._streams) >= STREAMS_MAX:
            self.reset(frame.stream, Reset.REFUSED_STREAM)
            return
        self._streams[frame.stream] = _Ends(ours=frame.one_way)
        self._put(frames.SynReply(frame.stream, self._compressor.block({})))
        yield Opened(frame.stream, headers)
        yield from self._data(frame.stream, b"", frame.fin)

    def _data(self, stream: int, data: bytes, fin: bool) -> Iterator[Event]:
        ends = self._streams.get(stream)
        if ends is None:
            if stream > self._last:
                self.reset(stream, Reset.INVALID_STREAM)
        elif ends.theirs:
            self.reset(stream, Reset.STREAM_ALREADY_CLOSED)
            yield WasReset(stream)
        else:
            if data:
                yield Received(stream, data)
            if fin:
                ends.theirs = True
                self._forget_ended(stream, ends)
                yield Finished(stream)

    def _forget_ended(self, stream: int, ends: _Ends) -> None:
        if ends.ours and ends.theirs:
            self._streams.pop(stream, None)
