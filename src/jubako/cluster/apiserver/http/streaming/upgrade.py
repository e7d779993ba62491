"""What a client offers to speak, and what is spoken.

    Upgrade: websocket    Sec-WebSocket-Protocol: …
    Upgrade: SPDY/3.1     X-Stream-Protocol-Version: …, once for each

Spec: k8s.io/apimachinery/pkg/util/httpstream, "Handshake"; k8s.io/apiserver/pkg/util/proxy.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.http.streaming.wire import Taken, take

_VERSION, _ACCEPTED = "X-Stream-Protocol-Version", "X-Accepted-Stream-Protocol-Versions"
_SPDY = "SPDY/3.1"
# As golang.org/x/net/websocket has it: clients put a whole stdin into one message.
_MESSAGE_LIMIT_BYTES = 32 << 20
_CLOSE_S = 5.0


def is_websocket(request: web.Request) -> bool:
    """Whether it is a WebSocket that is asked for. Raises Failure (400) when neither that nor SPDY is."""
    upgrade = request.headers.get("Upgrade", "").lower()
    if "upgrade" not in request.headers.get("Connection", "").lower() or upgrade not in ("websocket", _SPDY.lower()):
        raise failures.bad_request("Upgrade request required")
    return upgrade == "websocket"


async def websocket(request: web.Request, spoken: Sequence[str], *, autoping: bool = True) -> web.WebSocketResponse:
    """Agree on a protocol of those; "" among them stands for none. Raises Failure (400).

    Without `autoping` its reader gets pings and pongs too, and answers.
    """
    offered = [each.strip() for each in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    if not set(offered) & set(spoken):
        raise failures.bad_request(f"unable to upgrade: client supports {offered}, server accepts {list(spoken)}")
    socket = web.WebSocketResponse(
        protocols=[each for each in spoken if each],
        max_msg_size=_MESSAGE_LIMIT_BYTES,
        timeout=_CLOSE_S,
        autoping=autoping,
    )
    await socket.prepare(request)
    return socket


class Refused(Exception):
    """Nothing that is offered is spoken; `answer` says what is."""

    def __init__(self, offered: Sequence[str], spoken: Sequence[str]) -> None:
        told = f"unable to upgrade: unable to negotiate protocol: client supports {offered}, server accepts {spoken}"
        self.answer = web.Response(status=403, text=told.replace("'", "").replace(",", ""))
        for each in spoken:
            self.answer.headers.add(_ACCEPTED, each)


def spdy_protocol(request: web.Request, spoken: Sequence[str]) -> str:
    """Return the first protocol that a client offers and that is spoken; "" where it offers none. Raises Refused."""
    lines = request.headers.getall(_VERSION, [])
    offered = [each.strip() for line in lines for each in line.split(",")]
    for each in offered or [""]:
        if each in spoken:
            return each
    raise Refused(offered, [each for each in spoken if each])


async def spdy(request: web.Request, protocol: str) -> tuple[web.StreamResponse, Taken]:
    """Answer, and have the connection."""
    said = {_VERSION: protocol} if protocol else {}
    return await take(request, {"Connection": "Upgrade", "Upgrade": _SPDY, **said})
