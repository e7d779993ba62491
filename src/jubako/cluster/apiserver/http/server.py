"""The listener: TLS, client certificates, and the handler behind it."""

from __future__ import annotations

import ssl
from pathlib import Path

from aiohttp import web

from jubako.cluster.apiserver.access.authority import Authority
from jubako.cluster.apiserver.http.handler import Handler
from jubako.cluster.types.decoding.body import MAX_BODY_BYTES

_SHUTDOWN_S = 2.0


class Server:
    """Serves from `start` to `stop`, in the running event loop."""

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        app = web.Application(client_max_size=MAX_BODY_BYTES + 1)
        app.router.add_route("*", "/{path:.*}", handler)
        self._is_set_up = False
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port (`port` 0: any that is free). Raises OSError."""
        if not self._is_set_up:
            await self._runner.setup()
            self._is_set_up = True
        site = web.TCPSite(self._runner, host, port, ssl_context=self._tls)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """End what is being served: watches at once, the rest within seconds."""
        await self._runner.cleanup()


def tls_of(authority: Authority, certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the server's side of TLS: certificates of clients are asked for, and must be the authority's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority.certificate_path)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context
