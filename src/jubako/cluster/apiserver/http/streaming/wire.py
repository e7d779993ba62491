"""Connections that carry bytes and nothing else.

Model:        Taken is a connection that HTTP has given up after its answer 101; Tunnel has the bytes in the messages of
              a WebSocket ("SPDY/3.1+portforward.k8s.io").
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Mapping
from typing import Protocol

from aiohttp import WSMsgType, web

_READ_BYTES = 1 << 16


class Wire(Protocol):
    async def read(self) -> bytes:
        """Return what came; b"" when the peer has gone."""

    async def write(self, data: bytes) -> None:
        """Send, and wait while the peer does not take it. Raises ConnectionResetError."""

    def hung_up(self) -> bool:
        """Whether the peer has gone, though not all that it sent was read yet."""

    async def close(self) -> None: ...


class Peer:
    """Who is at the other end of a connection, which may be that of a request."""

    def __init__(self, connection: web.Request | asyncio.BaseTransport) -> None:
        self._socket = connection.get_extra_info("socket")

    def hung_up(self) -> bool:
        """Whether the peer has gone, though what it sent was not all read yet. poll(2), POLLRDHUP."""
        if self._socket is None or self._socket.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(self._socket.fileno(), select.POLLRDHUP)
        return bool(poll.poll(0))


class _Protocol(asyncio.StreamReaderProtocol):
    """Reads for a Taken, and tells aiohttp of the end, which it keeps count of."""

    def __init__(self, reader: asyncio.StreamReader, before: asyncio.BaseProtocol) -> None:
        super().__init__(reader)
        self._before = before

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._before.connection_lost(exc)


class Taken:
    """`before` is who had the connection, and `early` what that one has read of what is not its own."""

    def __init__(self, transport: asyncio.Transport, before: asyncio.BaseProtocol, early: bytes = b"") -> None:
        loop = asyncio.get_running_loop()
        self.hung_up = Peer(transport).hung_up
        self._reader = asyncio.StreamReader(_READ_BYTES, loop)
        protocol = _Protocol(self._reader, before)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        self._reader.feed_data(early)
        if transport.is_closing():
            self._reader.feed_eof()
        self._writer = asyncio.StreamWriter(transport, protocol, self._reader, loop)

    async def read(self) -> bytes:
        try:
            return await self._reader.read(_READ_BYTES)
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        self._writer.close()


async def take(request: web.Request, headers: Mapping[str, str]) -> tuple[web.StreamResponse, Taken]:
    """Answer 101 with `headers`, and have the connection. Raises ConnectionResetError."""
    response = web.StreamResponse(status=101, headers=headers)
    response.force_close()
    await response.prepare(request)
    await response.write_eof()
    if request.transport is None:
        raise ConnectionResetError("the client has gone")
    return response, Taken(request.transport, request.protocol)


class Tunnel:
    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self.hung_up = Peer(request).hung_up

    async def read(self) -> bytes:
        message = await self._socket.receive()
        while message.type is WSMsgType.BINARY and not message.data:
            message = await self._socket.receive()
        return message.data if message.type is WSMsgType.BINARY else b""

    async def write(self, data: bytes) -> None:
        await self._socket.send_bytes(data)

    async def close(self) -> None:
        await self._socket.close()
