"""A served API before backends of this process, which stand for what listens in pods."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiohttp
from aiohttp import web
from tests.unit.cluster.apiserver.conftest import Cluster, named, pod

from jubako.cluster.apiserver.access.authority import Authority
from jubako.cluster.apiserver.api import Api
from jubako.cluster.apiserver.bootstrap import bootstrap
from jubako.cluster.apiserver.caller import MASTERS
from jubako.cluster.apiserver.http.handler import Handler
from jubako.cluster.apiserver.http.server import Server, tls_of
from jubako.cluster.apiserver.streams import Ports, Streams
from jubako.cluster.store import AsyncStore, MemoryStore
from jubako.cluster.types.document import Object
from jubako.errors import FailedPrecondition

TIMEOUT_S = 30
POD_IP = "10.1.2.3"
PODS, SERVICES = "/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/services"
Serving = Callable[[web.Request], Awaitable[web.StreamResponse]]
Talking = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class OfThisProcess:
    """A pod whose network is that of this process; the API may say what it likes of its address."""

    id, address = "sandbox", "127.0.0.1"

    async def open(self) -> socket.socket:
        made = socket.socket()
        made.setblocking(False)
        return made


class Nodes:
    """Of pods by their names; None for one that does not run."""

    def __init__(self) -> None:
        self.gone = False

    async def ports(self, pod: Object) -> Ports:
        if self.gone:
            raise FailedPrecondition("pod not found")
        return cast(Ports, OfThisProcess())


class World:
    def __init__(self, cluster: Cluster, server: Server, handler: Handler, nodes: Nodes) -> None:
        self.cluster, self.server, self.handler, self.nodes = cluster, server, handler, nodes
        self.session: aiohttp.ClientSession

    async def pod(self, name: str = "p", ip: str = POD_IP, **spec: Any) -> None:
        await self.cluster.create(PODS, pod(name, **spec))
        if ip:
            status: Object = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]}
            await self.cluster.update(f"{PODS}/{name}/status", lambda old: {**old, "status": status})

    async def service(self, port: int, *, ready: bool = True, **target: str) -> None:
        ports: Any = [{"name": "http", "port": 80, "protocol": "TCP"}]
        await self.cluster.create(SERVICES, {**named("web"), "spec": {"ports": ports}})
        address: Object = {"ip": POD_IP, "targetRef": {"kind": "Pod", "name": "p", "namespace": "default", **target}}
        subset: Object = {"addresses" if ready else "notReadyAddresses": [address]}
        subset["ports"] = [{"name": "http", "port": port, "protocol": "TCP"}]
        await self.cluster.create("/api/v1/namespaces/default/endpoints", {**named("web"), "subsets": [subset]})

    async def refused(self, path: str, method: str = "GET") -> tuple[int, str]:
        async with self.session.request(method, path, allow_redirects=False) as answer:
            status = json.loads(await answer.read())
            assert status["kind"] == "Status"
            return answer.status, status["message"]


Scene = Callable[[World], Coroutine[Any, Any, None]]
Served = Callable[[Scene], None]


def serve(authority: Authority, base: Path, scene: Scene) -> None:
    """Play a scene, to its end or for TIMEOUT_S."""

    async def main() -> None:
        core = MemoryStore()
        api = Api(AsyncStore(core), authority)
        await bootstrap(api, base)
        nodes = Nodes()
        handler = Handler(api, cast(Streams, nodes))
        server = Server(handler, tls_of(authority, *authority.server(["127.0.0.1"])))
        world = World(Cluster(api, []), server, handler, nodes)
        await world.cluster.create("/api/v1/namespaces/default/serviceaccounts", named("default"))
        port = await server.start("127.0.0.1", 0)
        try:
            async with asyncio.timeout(TIMEOUT_S), client(authority, port, MASTERS) as world.session:
                await scene(world)
        finally:
            await handler.end_streams()
            await server.stop()
            core.close()

    asyncio.run(main())


@asynccontextmanager
async def client(authority: Authority, port: int, *groups: str) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(ssl=tls_for(authority, *groups))
    async with aiohttp.ClientSession(f"https://127.0.0.1:{port}", connector=connector, auto_decompress=False) as made:
        yield made


@asynccontextmanager
async def backend(serving: Serving, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", serving)
    runner = web.AppRunner(app, shutdown_timeout=0.1, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def talking(talk: Talking) -> AsyncIterator[int]:
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def echo(request: web.Request) -> web.StreamResponse:
    told = {
        "method": request.method, "target": request.raw_path, "headers": list(request.headers.items()),
        "body": (await request.read()).decode(),
    }  # fmt: skip
    return web.json_response(told, status=207, headers={"X-Own": "1", "Access-Control-Allow-Origin": "*"})


def tls_for(authority: Authority, *groups: str) -> ssl.SSLContext:
    """Of a client with a certificate for these groups."""
    tls = ssl.create_default_context(cafile=authority.certificate_path)
    tls.load_cert_chain(*authority.client("-".join(groups).replace(":", "-"), "who", groups))
    return tls
