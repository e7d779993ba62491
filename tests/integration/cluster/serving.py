"""A process that serves the API of a durable store over TLS, without a node: serving.py DIRECTORY

Says its port in a line. Clients have little time to send what they want to say.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import cast

from jubako.cluster.apiserver.access.authority import Authority
from jubako.cluster.apiserver.api import Api
from jubako.cluster.apiserver.bootstrap import bootstrap
from jubako.cluster.apiserver.http.handler import Handler
from jubako.cluster.apiserver.http.server import Server, tls_of
from jubako.cluster.apiserver.streams import Streams
from jubako.cluster.store import AsyncStore, DurableStore, Options

IDLE_S, BODY_S = 3.0, 3.0


async def main(directory: Path) -> None:
    store = DurableStore(directory / "store", Options())
    authority = Authority(directory / "pki")
    api = Api(AsyncStore(store), authority)
    await bootstrap(api, directory / "volumes")
    handler = Handler(api, cast(Streams, None))  # there is no node to stream from
    certificate, key = authority.server(["127.0.0.1", "localhost"])
    server = Server(handler, tls_of(authority, certificate, key), idle_s=IDLE_S, body_s=BODY_S)
    print(await server.start("127.0.0.1", 0), flush=True)  # noqa: T201
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
