"""The listener: TLS, client certificates, and the handler behind it."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

from aiohttp import web

from jubako.cluster.apiserver.access.authority import Authority
from jubako.cluster.apiserver.http.bodies import BODY_S
from jubako.cluster.apiserver.http.handler import Handler
from jubako.cluster.apiserver.http.streams import LIMITS, end_watches
from jubako.cluster.types.decoding.body import MAX_BODY_BYTES

_SHUTDOWN_S = 2.0
_LINE_BYTES = 128 << 10
"""Of a request's first line, and of a header: selectors may be long."""
_HEADERS = 1000


class Server:
    """Serves from `start` to `stop`, in the running event loop.

    A client has `idle_s` to send the head of a request, its first or the next, and `body_s` for its body.
    """

    def __init__(
        self, handler: Handler, tls: ssl.SSLContext | None, *, idle_s: float = 90.0, body_s: float = 60.0
    ) -> None:
        self._tls = tls
        app = web.Application(client_max_size=MAX_BODY_BYTES + 1)
        app[BODY_S] = body_s
        app[LIMITS] = set()
        app.on_shutdown.append(end_watches)
        app.on_response_prepare.append(handler.prepared)
        app.router.add_route("*", "/{path:.*}", handler)
        self._is_set_up = False
        self._runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=_SHUTDOWN_S,
            keepalive_timeout=idle_s,
            max_line_size=_LINE_BYTES,
            max_field_size=_LINE_BYTES,
            max_headers=_HEADERS,
            auto_decompress=False,
            logger=_quiet(),
        )

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


def _quiet() -> logging.Logger:
    """Errors of ours are caught and told by the handler: what is left is what others say that is no HTTP."""
    logger = logging.getLogger(f"{__name__}.transport")
    logger.setLevel(logging.CRITICAL)
    return logger


def tls_of(authority: Authority, certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the server's side of TLS: certificates of clients are asked for, and must be the authority's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority.certificate_path)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context
