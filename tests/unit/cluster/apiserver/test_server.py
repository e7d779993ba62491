"""The listener's end: who watches is told that it is over, and nobody is waited for."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import cast

import aiohttp
from tests.unit.cluster.apiserver.conftest import admin_tls

from jubako.cluster.apiserver.access.authority import Authority
from jubako.cluster.apiserver.api import Api
from jubako.cluster.apiserver.bootstrap import bootstrap
from jubako.cluster.apiserver.http.handler import Handler
from jubako.cluster.apiserver.http.server import Server, tls_of
from jubako.cluster.apiserver.streams import Streams
from jubako.cluster.store import AsyncStore, MemoryStore

_MAPS = "/api/v1/namespaces/default/configmaps"


def test_watches_end_at_once_when_the_server_does(tmp_path: Path) -> None:
    async def play() -> None:
        authority = Authority(tmp_path / "pki")
        api = Api(AsyncStore(MemoryStore()), authority)
        await bootstrap(api, tmp_path / "volumes")
        server = Server(Handler(api, cast(Streams, None)), tls_of(authority, *authority.server(["127.0.0.1"])))
        port = await server.start("127.0.0.1", 0)
        connector = aiohttp.TCPConnector(ssl=admin_tls(authority))
        async with (
            aiohttp.ClientSession(f"https://127.0.0.1:{port}", connector=connector) as session,
            session.get(f"{_MAPS}?watch=1") as watching,
            session.get(f"{_MAPS}?watch=1"),
        ):
            begun = time.monotonic()
            await server.stop()
            assert time.monotonic() - begun < 1
            assert await watching.content.read() == b""

    asyncio.run(asyncio.wait_for(play(), 20))
