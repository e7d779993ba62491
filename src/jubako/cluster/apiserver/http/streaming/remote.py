"""A remote command over what its client speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web

from jubako.cluster.apiserver.http.streaming import upgrade
from jubako.cluster.apiserver.http.streaming.channels import ChannelConnection
from jubako.cluster.apiserver.http.streaming.command import ERROR, RESIZE, STDERR, STDIN, STDOUT, Command, run
from jubako.cluster.apiserver.http.streaming.ending import serve
from jubako.cluster.apiserver.http.streaming.spdy import SpdyConnection, SpdyStream

_CHANNELS = (STDIN, STDOUT, STDERR, ERROR, RESIZE)
_V4, _V3 = "v4.channel.k8s.io", "v3.channel.k8s.io"
_OVER_SPDY = (_V4, _V3, "v2.channel.k8s.io", "channel.k8s.io", "")
_OVER_WEBSOCKET = (
    "v5.channel.k8s.io", _V4, "v4.base64.channel.k8s.io", "channel.k8s.io", "base64.channel.k8s.io", "",
)  # fmt: skip
_OPENING_S = 30.0


async def serve_command(request: web.Request, names: Sequence[str], command: Command) -> web.StreamResponse:
    """Upgrade a request, and do its command with the streams of these names. Raises Failure, Refused."""
    if upgrade.is_websocket(request):
        return await _over_websocket(request, names, command)
    return await _over_spdy(request, names, command)


async def _over_websocket(request: web.Request, names: Sequence[str], command: Command) -> web.WebSocketResponse:
    socket = await upgrade.websocket(request, _OVER_WEBSOCKET, autoping=False)
    connection = ChannelConnection(request, socket, len(_CHANNELS))
    streams = dict(zip(_CHANNELS, connection.streams, strict=True))
    for name, stream in streams.items():
        if name not in names or name not in (STDIN, RESIZE):
            stream.intake.discard()
    with_status = (socket.ws_protocol or "").startswith(("v4.", "v5."))

    async def work() -> None:
        # Something on the first stream that we write tells the client that it is connected.
        await connection.send(next(_CHANNELS.index(name) for name in (STDOUT, STDERR, ERROR) if name in names), b"")
        await run(command, {name: streams[name] for name in names}, as_status=with_status)

    await serve(connection, work())
    return socket


async def _over_spdy(request: web.Request, names: Sequence[str], command: Command) -> web.StreamResponse:
    protocol = upgrade.spdy_protocol(request, _OVER_SPDY)
    response, wire = await upgrade.spdy(request, protocol)
    opening = Opening([name for name in names if name != RESIZE or protocol in (_V4, _V3)])

    async def work() -> None:
        async with asyncio.timeout(_OPENING_S):
            await opening.all_there.wait()
        await run(command, opening.streams, as_status=protocol == _V4)

    await serve(SpdyConnection(wire, opening.take), work())
    return response


class Opening:
    """The streams that a client is opening."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self.streams: dict[str, SpdyStream] = {}
        self.all_there = asyncio.Event()

    def take(self, stream: SpdyStream) -> bool:
        name = stream.headers.get("streamtype", "").lower()
        if name not in self._names or name in self.streams:
            return False
        self.streams[name] = stream
        if len(self.streams) == len(self._names):
            self.all_there.set()
        return True
