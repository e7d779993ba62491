"""One request to what listens in a pod, and its answer."""

from __future__ import annotations

import asyncio
import os
import socket
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import (
    ClientConnectionError,
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    web,
)
from yarl import URL

from jubako.cluster.apiserver.http.proxying.headers import for_client, for_pod, is_upgrade, moved
from jubako.cluster.apiserver.http.proxying.pages import Page, page
from jubako.cluster.apiserver.http.proxying.paths import Path
from jubako.cluster.apiserver.http.proxying.targets import Target, unreachable
from jubako.cluster.apiserver.http.proxying.upgraded import serve_upgraded
from jubako.cluster.apiserver.http.streaming.ending import IDLE_S
from jubako.cluster.apiserver.streams import Ports

_CONNECT_S = 30.0
_HEADERS = 1000
_FIELD_BYTES = 128 << 10
_UNSAID = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class Exchange:
    """`response` is what has been sent, once it has begun."""

    def __init__(self, request: web.Request, found: Target, ports: Ports, path: Path) -> None:
        self._request, self._target, self._ports, self._path = request, found, ports, path
        self._host = f"{ports.address}:{found.port}"
        self.response: web.StreamResponse | None = None

    async def run(self) -> None:
        async with self._session() as session, await self._ask(session) as answer:
            own = (self._host, self._ports.address) if self._target.is_default_port else (self._host,)
            through = (self._path.prefix, self._request.host, own)
            headers = for_client(answer.headers, *through)
            if answer.status == 101:
                if not is_upgrade(self._request.headers):
                    raise unreachable("unexpected upgrade")
                self.response = await serve_upgraded(self._request, answer, headers)
                return
            changed = page(answer.status, headers, lambda link: moved(link, *through))
            self.response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=headers)
            await self._hand_on(answer, self.response, changed if _has_body(answer) else None)

    async def _ask(self, session: ClientSession) -> ClientResponse:
        request = self._request
        try:
            return await session.request(
                request.method,
                URL(f"{self._target.scheme}://{self._host}{self._path.rest}{self._path.query}", encoded=True),
                headers=for_pod(request, self._path.prefix + self._path.rest),
                data=request.content if request.body_exists else None,
                allow_redirects=False,
            )
        except (ClientError, OSError, TimeoutError) as error:
            raise unreachable(self._why(error)) from None

    def _why(self, error: Exception) -> str:
        if isinstance(error, ClientSSLError):
            return f"tls: {error.os_error}"
        if isinstance(error, ClientConnectorError) and (number := error.errno):
            return f"dial tcp {self._host}: connect: {os.strerror(number).lower()}"
        if isinstance(error, TimeoutError):
            return f"dial tcp {self._host}: i/o timeout"
        return "EOF" if isinstance(error, ClientConnectionError) else str(error)

    async def _hand_on(self, answer: ClientResponse, response: web.StreamResponse, changed: Page | None) -> None:
        await response.prepare(self._request)
        try:
            async for data in answer.content.iter_any():
                for piece in changed.feed(data) if changed else (data,):
                    await _write(response, piece)
            if changed:
                await _write(response, changed.end())
        except (ClientError, TimeoutError, zlib.error):
            # Half of an answer must not pass for a whole one.
            if self._request.transport is not None:
                self._request.transport.abort()
            return
        await response.write_eof()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[ClientSession]:
        """A client for one request. Certificates of pods are nobody's to judge, as in Kubernetes."""
        unused = [await self._ports.open()]

        def make(_: object) -> socket.socket:
            if not unused:  # a request whose connection has broken is not sent again
                raise ConnectionResetError("EOF")
            return unused.pop()

        connector = TCPConnector(limit=1, force_close=True, ssl=False, socket_factory=make)
        timeout = ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=IDLE_S)
        try:
            async with ClientSession(
                connector=connector, timeout=timeout, cookie_jar=DummyCookieJar(), auto_decompress=False,
                skip_auto_headers=_UNSAID, max_line_size=_FIELD_BYTES, max_field_size=_FIELD_BYTES,
                max_headers=_HEADERS,
            ) as session:  # fmt: skip
                yield session
        finally:
            for each in unused:
                each.close()


async def _write(response: web.StreamResponse, piece: bytes) -> None:
    """Others go on between two pieces, though a pod's few bytes may stand for many."""
    if piece:
        await response.write(piece)
    await asyncio.sleep(0)


def _has_body(answer: ClientResponse) -> bool:
    return answer.method != "HEAD" and answer.status not in (204, 304)
