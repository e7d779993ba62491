"""Port-forward over what its client speaks: which streams belong to which connection in the pod.

    SPDY        streams with the headers streamType (error or data), port, and requestID, which makes a pair of two;
                also in a tunnel through a WebSocket
    channels    for port number i, as the query has them, channel 2i is data and 2i + 1 error; each begins with the
                port in two bytes, the lower first

Spec: k8s.io/kubelet/pkg/cri/streaming/portforward, httpstream.go and websocket.go; KEP 4006.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.http.streaming import upgrade
from jubako.cluster.apiserver.http.streaming.channels import ChannelConnection
from jubako.cluster.apiserver.http.streaming.ending import serve
from jubako.cluster.apiserver.http.streaming.forward import forward
from jubako.cluster.apiserver.http.streaming.spdy import SpdyConnection, SpdyStream
from jubako.cluster.apiserver.http.streaming.wire import Tunnel, Wire
from jubako.cluster.apiserver.streams import Ports

_PROTOCOL = "portforward.k8s.io"
_TUNNEL = f"SPDY/3.1+{_PROTOCOL}"
_CHANNELS = ("v4.channel.k8s.io", "v4.base64.channel.k8s.io", _PROTOCOL, "")
_PORTS_MAX = 100
_PAIRING_S = 30.0
_DATA, _ERROR = "data", "error"


async def serve_forward(request: web.Request, target: Ports) -> web.StreamResponse:
    """Upgrade a request, and forward ports of a pod. Raises Failure, Refused."""
    if not upgrade.is_websocket(request):
        protocol = upgrade.spdy_protocol(request, (_PROTOCOL, ""))
        response, wire = await upgrade.spdy(request, protocol)
        await _serve_spdy(wire, target)
        return response
    if _TUNNEL not in request.headers.get("Sec-WebSocket-Protocol", ""):
        return await _serve_channels(request, target)
    socket = await upgrade.websocket(request, (_TUNNEL,))
    await _serve_spdy(Tunnel(request, socket), target)
    return socket


async def _serve_spdy(wire: Wire, target: Ports) -> None:
    pairs = Pairs(target)
    try:
        await serve(SpdyConnection(wire, pairs.take))
    finally:
        await pairs.end()


class Pairs:
    """The streams that wait for their other half, and the connections that are being forwarded."""

    def __init__(self, target: Ports) -> None:
        self._target = target
        self._waiting: dict[str, SpdyStream] = {}
        self._forwards: set[asyncio.Task[None]] = set()

    def take(self, stream: SpdyStream) -> bool:
        """Take a stream, and forward when it is the second of a pair; tells whether it can be one."""
        kind, port = stream.headers.get("streamtype", ""), stream.headers.get("port", "")
        if kind not in (_DATA, _ERROR) or not _is_port(port):
            return False
        # Clients of old name no pair, and open the stream for errors just before that for data.
        name = stream.headers.get("requestid") or str(stream.number - 2 * (kind == _DATA))
        other = self._waiting.pop(name, None)
        if other is None:
            self._waiting[name] = stream
            asyncio.get_running_loop().call_later(_PAIRING_S, self._give_up, name, stream)
            return True
        if other.headers["streamtype"] == kind:
            self._waiting[name] = other
            return False
        data, error = (stream, other) if kind == _DATA else (other, stream)
        task = asyncio.create_task(forward(self._target, int(port), data, error))
        self._forwards.add(task)
        task.add_done_callback(self._forwards.discard)
        return True

    def _give_up(self, name: str, stream: SpdyStream) -> None:
        if self._waiting.get(name) is stream:
            del self._waiting[name]
            stream.reset()

    async def end(self) -> None:
        for task in self._forwards:
            task.cancel()
        await asyncio.gather(*self._forwards, return_exceptions=True)


async def _serve_channels(request: web.Request, target: Ports) -> web.WebSocketResponse:
    ports = _ports(request)
    socket = await upgrade.websocket(request, _CHANNELS, autoping=False)
    connection = ChannelConnection(request, socket, 2 * len(ports))

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            for index, port in enumerate(ports):
                data, error = connection.streams[2 * index : 2 * index + 2]
                error.intake.discard()
                for stream in (data, error):
                    await stream.write(port.to_bytes(2, "little"))
                group.create_task(forward(target, port, data, error))

    await serve(connection, work())
    return socket


def _ports(request: web.Request) -> Sequence[int]:
    """Return what `ports` says, several times or with commas. Raises Failure (400)."""
    texts = [each for value in request.query.getall("ports", []) for each in value.split(",")]
    if not texts or len(texts) > _PORTS_MAX:
        raise failures.bad_request(f'query parameter "ports" is required, with at most {_PORTS_MAX} ports')
    for text in texts:
        if not _is_port(text):
            raise failures.bad_request(f'unable to parse "{text}" as a port')
    return [int(text) for text in texts]


def _is_port(text: str) -> bool:
    """Whether it is the number of a port."""
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 1 << 16
