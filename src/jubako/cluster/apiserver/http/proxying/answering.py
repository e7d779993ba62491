"""A request for a proxy, from what it names to its end: the pod's, the client's or the server's."""

from __future__ import annotations

from aiohttp import web

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.attributes import Attributes, attributes
from jubako.cluster.apiserver.http.proxying.exchange import Exchange
from jubako.cluster.apiserver.http.proxying.headers import is_upgrade
from jubako.cluster.apiserver.http.proxying.paths import path_of
from jubako.cluster.apiserver.http.proxying.targets import target, unreachable
from jubako.cluster.apiserver.http.running import Running
from jubako.cluster.apiserver.http.streaming.ending import first, gone
from jubako.cluster.apiserver.http.streaming.wire import Peer
from jubako.cluster.apiserver.streams import Streams
from jubako.cluster.store import AsyncStore
from jubako.errors import JubakoError


def proxied(request: web.Request) -> Attributes | None:
    """What a request asks for, if that is a proxy: its query, its headers and its body are not for this server."""
    if "/proxy" not in request.path:
        return None
    asked = attributes(request.method, request.path)
    below = asked.subresource if asked else None
    return asked if below is not None and below.name == "proxy" else None


class Proxy:
    def __init__(self, store: AsyncStore, streams: Streams, running: Running) -> None:
        self._store, self._streams, self._running = store, streams, running

    async def answer(self, request: web.Request, asked: Attributes) -> web.StreamResponse:
        """Raises Failure before anything is sent."""
        found = target(self._store, asked)
        path = path_of(request.rel_url)
        if not path.rest and request.method in ("GET", "HEAD") and not is_upgrade(request.headers):
            # So that relative links are beneath the proxy.
            return web.Response(status=301, headers={"Location": f"{path.prefix}/{path.query}"})
        with self._running.counted():
            try:
                ports = await self._streams.ports(found.pod)
                exchange = Exchange(request, found, ports, path)
                await first(exchange.run(), gone(Peer(request)))
            except failures.Failure:
                raise
            except JubakoError as error:
                raise unreachable(error.message) from None
        if exchange.response is None:
            raise ConnectionResetError("the client has gone")
        return exchange.response
