"""A web server for tests of proxies: python greeter.py PORT. Says a line when it listens; ends with its stdin.

GET /go redirects to /hello, POST /count tells how many bytes came, /talk is a WebSocket that echoes.
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web


async def hello(request: web.Request) -> web.StreamResponse:
    return web.Response(text=f"hello {request.query_string}")


async def go(request: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "/hello?again"})


async def count(request: web.Request) -> web.StreamResponse:
    size = 0
    async for piece in request.content.iter_any():
        size += len(piece)
    return web.Response(text=str(size))


async def talk(request: web.Request) -> web.StreamResponse:
    made = web.WebSocketResponse()
    await made.prepare(request)
    await made.send_str("welcome")
    async for message in made:
        await made.send_str(message.data)
    return made


async def main() -> None:
    app = web.Application()
    app.add_routes([web.get("/hello", hello), web.get("/go", go), web.post("/count", count), web.get("/talk", talk)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, None, int(sys.argv[1])).start()
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
