"""The client's side of SPDY/3.1, as kubectl is one, and a wire in memory to the server's."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from jubako.cluster.apiserver.http.spdy import frames
from jubako.cluster.apiserver.http.spdy.codec import Decoder, encode
from jubako.cluster.apiserver.http.spdy.frames import Frame
from jubako.cluster.apiserver.http.spdy.headers import Compressor, Decompressor


class Client:
    """Makes bytes for the server, and notes what comes from it."""

    def __init__(self) -> None:
        self._compressor, self._decompressor, self._decoder = Compressor(), Decompressor(), Decoder()
        self._next = 1
        self.replied: list[int] = []
        self.data: dict[int, bytes] = defaultdict(bytes)
        self.finished: set[int] = set()
        self.resets: dict[int, int] = {}
        self.left: int | None = None
        self.other: list[Frame] = []

    def opening(self, *, fin: bool = False, one_way: bool = False, **headers: str) -> bytes:
        """Return what opens the next stream."""
        number, self._next = self._next, self._next + 2
        return encode(frames.SynStream(number, self._compressor.block(headers), fin, one_way))

    def take(self, data: bytes) -> None:
        for frame in self._decoder.feed(data):
            match frame:
                case frames.SynReply(stream, block, _):
                    assert self._decompressor.headers(block) == {}
                    self.replied.append(stream)
                case frames.Data(stream, piece, fin):
                    self.data[stream] += piece
                    if fin:
                        self.finished.add(stream)
                case frames.RstStream(stream, status):
                    self.resets[stream] = status
                case frames.GoAway(_, status):
                    self.left = status
                case _:
                    self.other.append(frame)


class MemoryWire:
    """`client` has what the server has sent; `send` is what the client sends."""

    def __init__(self) -> None:
        self.client = Client()
        self.read_bytes = 0
        self.is_closed = self.is_hung_up = False
        self._sent: asyncio.Queue[bytes] = asyncio.Queue()
        self._changed = asyncio.Event()

    def send(self, data: bytes) -> None:
        self._sent.put_nowait(data)

    def hang_up(self) -> None:
        self.is_hung_up = True
        self.send(b"")

    async def read(self) -> bytes:
        data = await self._sent.get()
        self.read_bytes += len(data)
        return data

    async def write(self, data: bytes) -> None:
        if self.is_hung_up:
            raise ConnectionResetError("nobody is there")
        self.client.take(data)
        self._changed.set()

    def hung_up(self) -> bool:
        return self.is_hung_up

    async def close(self) -> None:
        self.is_closed = True

    async def until(self, stream: int) -> bytes:
        """Wait for the end of what the server sends on a stream."""
        while stream not in self.client.finished:
            self._changed.clear()
            await self._changed.wait()
        return self.client.data[stream]
