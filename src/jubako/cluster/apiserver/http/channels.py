"""exec and attach over WebSocket: the first byte of each message is its channel.

    0 stdin   1 stdout   2 stderr   3 the Status at the end   4 {"Width": …, "Height": …}   255 (v5) a channel that ends

Spec: k8s.io/apimachinery/pkg/util/remotecommand, "v5.channel.k8s.io" and "v4.channel.k8s.io".
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import msgspec
from aiohttp import WSMsgType, web

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.http.answers import encode
from jubako.cluster.apiserver.streams import Session
from jubako.cluster.types.document import JSON, Object

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDIN, _ERROR, _RESIZE, _CLOSE = 0, 3, 4, 255
_MESSAGE_LIMIT_BYTES = 1 << 20


class _Size(msgspec.Struct, frozen=True):
    width: int = msgspec.field(name="Width")
    height: int = msgspec.field(name="Height")


def is_wanted(request: web.Request) -> bool:
    """Whether a client asks for this protocol."""
    return request.headers.get("Upgrade", "").lower() == "websocket"


async def serve(request: web.Request, session: Session) -> web.StreamResponse:
    """Carry a session over a WebSocket, and end it."""
    socket = web.WebSocketResponse(protocols=PROTOCOLS, max_msg_size=_MESSAGE_LIMIT_BYTES, heartbeat=30)
    await socket.prepare(request)
    taking = asyncio.create_task(_take(socket, session))
    try:
        async for output in session.output():
            await socket.send_bytes(bytes([output.stream]) + output.data)
        await socket.send_bytes(bytes([_ERROR]) + encode(_ended(await session.exit_code())))
    finally:
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
        await session.close()
        await socket.close()
    return socket


async def _take(socket: web.WebSocketResponse, session: Session) -> None:
    """Hand on what the client sends; when it goes, so does the session."""
    async for message in socket:
        if message.type is not WSMsgType.BINARY or not message.data:
            continue
        channel, data = message.data[0], message.data[1:]
        with suppress(OSError, msgspec.MsgspecError):
            if channel == _STDIN:
                await session.write(data)
            elif channel == _RESIZE:
                size = msgspec.json.decode(data, type=_Size)
                await session.resize(size.height, size.width)
            elif channel == _CLOSE and data == bytes([_STDIN]):
                await session.close_input()
    await session.close()


def _ended(code: int) -> Object:
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    cause: JSON = {"reason": "ExitCode", "message": str(code)}
    message = f"command terminated with non-zero exit code: exit status {code}"
    return failures.status_of(500, "NonZeroExitCode", message, {"causes": [cause]})
