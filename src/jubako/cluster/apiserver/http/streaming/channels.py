"""Streams that are there from the start, over a WebSocket: the first byte of each message names its stream.

    N data         bytes of stream N; in the protocols that are named base64, the digit N and the data in base64
    255 N          (v5) stream N has ended

Nothing is sent before the client has answered a ping, and so reads: kubectl 1.30 to 1.33 begins to read while it still
makes its streams, and throws away what comes for one that it has not got (kubernetes#131203).

Spec: k8s.io/apimachinery/pkg/util/remotecommand; KEP 4006.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from contextlib import suppress

from aiohttp import WSMessage, WSMsgType, web

from jubako.cluster.apiserver.http.streaming.streams import PIECE_BYTES, Intake, Traffic
from jubako.cluster.apiserver.http.streaming.wire import Peer

_CLOSE = 255
# Who answers no pings, or does not read for now, is not waited for any longer.
_GREETING_S = 0.25


class ChannelStream:
    def __init__(self, connection: ChannelConnection, number: int) -> None:
        self._connection, self._number = connection, number
        self.intake = Intake(connection.traffic)

    async def read(self) -> bytes:
        return await self.intake.read()

    async def write(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE_BYTES):
            await self._connection.send(self._number, data[start : start + PIECE_BYTES])

    async def finish(self) -> None:
        """There is no way to say it; the end of the connection does."""
        self.intake.discard()


class ChannelConnection:
    """`socket` is prepared, without autoping, and has agreed on a protocol."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, count: int) -> None:
        self._socket, self._peer = socket, Peer(request)
        protocol = socket.ws_protocol or ""
        self._base64, self._can_close = "base64" in protocol, protocol.startswith("v5.")
        self._greeting, self._reads = asyncio.Lock(), asyncio.Event()
        self.traffic = Traffic()
        self.streams = [ChannelStream(self, number) for number in range(count)]

    async def run(self) -> None:
        """Serve until the client goes."""
        try:
            async for message in self._socket:
                if message.type is WSMsgType.PING:
                    await self._socket.pong(message.data)
                elif message.type is WSMsgType.PONG:
                    self._reads.set()
                else:
                    self._take(self._decoded(message))
                await self.traffic.room(self._has_gone)
        finally:
            for stream in self.streams:
                stream.intake.fail()

    def _take(self, data: bytes) -> None:
        if data and data[0] < len(self.streams):
            self.streams[data[0]].intake.put(data[1:])
        elif self._can_close and len(data) == 2 and data[0] == _CLOSE and data[1] < len(self.streams):
            self.streams[data[1]].intake.end()

    async def _greet(self) -> None:
        async with self._greeting:
            if not self._reads.is_set():
                await self._socket.ping()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_GREETING_S):
                        await self._reads.wait()
                self._reads.set()

    async def _has_gone(self) -> bool:
        """Tell whether the client has gone; one that has since answers with a reset, which is seen the next time."""
        if not self._peer.hung_up():
            await self._socket.ping()
            return False
        return True

    def _decoded(self, message: WSMessage) -> bytes:
        """Return the channel's number and the data; b"" for what is none."""
        data = message.data.encode() if message.type is WSMsgType.TEXT else bytes(message.data or b"")
        if not self._base64:
            return data
        try:
            return bytes([int(data[:1])]) + base64.b64decode(data[1:])
        except (ValueError, binascii.Error):
            return b""

    async def send(self, number: int, data: bytes) -> None:
        await self._greet()
        self.traffic.moved()
        if self._base64:
            await self._socket.send_str(f"{number}{base64.b64encode(data).decode()}")
        else:
            await self._socket.send_bytes(bytes([number]) + data)

    async def say_goodbye(self) -> None:
        await self.close()

    async def close(self) -> None:
        """Close it; waits a moment until the client has done that too."""
        await self._socket.close()
