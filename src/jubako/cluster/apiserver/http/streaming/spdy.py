"""Streams that the client opens, over a wire that speaks SPDY/3.1.

Concurrency:  `run` reads; whoever writes on a stream sends what the session has gathered, one at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from jubako.cluster.apiserver.http.spdy.frames import Leaving, Reset
from jubako.cluster.apiserver.http.spdy.session import Event, Finished, Opened, Received, Session
from jubako.cluster.apiserver.http.streaming.streams import PIECE_BYTES, Intake, StreamReset, Traffic
from jubako.cluster.apiserver.http.streaming.wire import Wire


class SpdyStream:
    """`headers` are what the client has opened it with."""

    def __init__(self, connection: SpdyConnection, number: int, headers: Mapping[str, str]) -> None:
        self._connection, self.number, self.headers = connection, number, headers
        self.intake = Intake(connection.traffic)

    async def read(self) -> bytes:
        return await self.intake.read()

    async def write(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE_BYTES):
            await self._connection.send(self.number, data[start : start + PIECE_BYTES])

    async def finish(self) -> None:
        self.intake.discard()
        await self._connection.finish(self.number)

    def reset(self) -> None:
        """End it at once; the client hears of it with what is sent next."""
        self._connection.reset(self)


class SpdyConnection:
    """`opened` is called with each stream that begins; it must not wait, and tells whether the stream is taken."""

    def __init__(self, wire: Wire, opened: Callable[[SpdyStream], bool]) -> None:
        self._wire, self._opened = wire, opened
        self.traffic = Traffic()
        self._session = Session()
        self._streams: dict[int, SpdyStream] = {}
        self._sending = asyncio.Lock()

    async def run(self) -> None:
        """Serve until the client goes."""
        try:
            while not self._session.over and (data := await self._wire.read()):
                for event in self._session.receive(data):
                    self._note(event)
                await self._flush()
                await self.traffic.room(self._has_gone)
        finally:
            for stream in self._streams.values():
                stream.intake.fail()

    def _note(self, event: Event) -> None:
        if isinstance(event, Opened):
            self._begin(SpdyStream(self, event.stream, event.headers))
        elif stream := self._streams.get(event.stream):
            if isinstance(event, Received):
                stream.intake.put(event.data)
            elif isinstance(event, Finished):
                stream.intake.end()
            else:
                stream.intake.fail()
            self._forget_ended(event.stream)

    def _begin(self, stream: SpdyStream) -> None:
        self._streams[stream.number] = stream
        if not self._opened(stream):
            self.reset(stream)

    def reset(self, stream: SpdyStream) -> None:
        stream.intake.fail()
        self._session.reset(stream.number, Reset.CANCEL)
        self._forget_ended(stream.number)

    async def send(self, number: int, data: bytes) -> None:
        if not self._session.send(number, data):
            raise StreamReset("the client has reset the stream")
        self.traffic.moved()
        await self._flush()

    async def finish(self, number: int) -> None:
        self._session.finish(number)
        self._forget_ended(number)
        await self._flush()

    async def say_goodbye(self) -> None:
        """Say that it is over, and read on until the client has heard it.

        A connection that is closed with something unread may lose what is still on its way to the client.
        """
        self._session.leave(Leaving.OK)
        await self._flush()
        while await self._wire.read():
            pass

    async def close(self) -> None:
        self._session.leave(Leaving.OK)
        with suppress(OSError):
            await self._flush()
        await self._wire.close()

    async def _has_gone(self) -> bool:
        """Tell whether the client has gone; one that has since answers with a reset, which is seen the next time."""
        if not self._wire.hung_up():
            self._session.ping()
            await self._flush()
            return False
        return True

    async def _flush(self) -> None:
        async with self._sending:
            if data := self._session.take():
                await self._wire.write(data)

    def _forget_ended(self, number: int) -> None:
        if not self._session.has(number):
            self._streams.pop(number, None)
