"""pods/proxy: bodies that stream, upgrades, and ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from tests.unit.cluster.apiserver.proxied import (
    PODS,
    Served,
    World,
    backend,
    echo,
    serve,
    talking,
)

from jubako.cluster.apiserver.access.authority import Authority
from jubako.cluster.apiserver.http.server import tls_of


@pytest.fixture
def served(authority: Authority, tmp_path: Path) -> Served:
    return partial(serve, authority, tmp_path)


def test_bodies_stream_and_a_reader_that_waits_holds_up_the_sender(served: Served) -> None:
    sent, piece = 0, b"x" * 100_000
    goes_on = asyncio.Event()

    async def pour(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(400):
            await response.write(piece)
            sent += len(piece)
        return response

    async def scene(world: World) -> None:
        await world.pod()
        async with backend(pour) as port, world.session.get(f"{PODS}/p:{port}/proxy/") as answer:
            before = -1
            while not sent or sent != before:
                before = sent
                await asyncio.sleep(0.3)
            assert 0 < sent < 30_000_000
            size = 0
            async for data in answer.content.iter_any():
                size += len(data)
            assert size == 400 * len(piece)

        async def upload() -> AsyncIterator[bytes]:
            yield b"first"
            await goes_on.wait()
            yield b"last"

        async def told(request: web.Request) -> web.StreamResponse:
            assert await request.content.readany() == b"first"
            goes_on.set()
            return web.Response(body=await request.content.read())

        async with backend(told) as port, world.session.post(f"{PODS}/p:{port}/proxy/", data=upload()) as answer:
            assert await answer.read() == b"last"

    served(scene)


def test_a_body_is_passed_as_it_is_coded(served: Served) -> None:
    async def coded(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"not gzip", headers={"Content-Encoding": "gzip"})

    async def scene(world: World) -> None:
        await world.pod()
        async with backend(coded) as port, world.session.get(f"{PODS}/p:{port}/proxy/") as answer:
            assert (answer.headers["Content-Encoding"], await answer.read()) == ("gzip", b"not gzip")

    served(scene)


def test_half_an_answer_does_not_pass_for_a_whole_one(served: Served) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        writer.close()

    async def scene(world: World) -> None:
        await world.pod()
        async with talking(half) as port, world.session.get(f"{PODS}/p:{port}/proxy/") as answer:
            with pytest.raises(aiohttp.ClientError):
                await answer.read()

    served(scene)


def test_an_answer_that_is_no_http_is_told(served: Served) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail\r\n\r\n")
        writer.close()

    async def scene(world: World) -> None:
        await world.pod()
        async with talking(nonsense) as port:
            code, message = await world.refused(f"{PODS}/p:{port}/proxy/")
            assert (code, message.partition(": ")[0]) == (503, "error trying to reach service")

    served(scene)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_hangs_up_without_an_answer_is_asked_once(served: Served, method: str) -> None:
    asked = 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async def scene(world: World) -> None:
        await world.pod()
        async with talking(hang_up) as port:
            told = (503, "error trying to reach service: EOF")
            assert await world.refused(f"{PODS}/p:{port}/proxy/", method) == told
        assert asked == 1

    served(scene)


def test_an_upgrade_that_nobody_asked_for_is_none(served: Served) -> None:
    async def upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: odd\r\n\r\n")
        await reader.read()
        writer.close()

    async def scene(world: World) -> None:
        await world.pod()
        async with talking(upgrade) as port:
            told = (503, "error trying to reach service: unexpected upgrade")
            assert await world.refused(f"{PODS}/p:{port}/proxy/") == told

    served(scene)


def test_a_pod_with_tls_may_have_any_certificate(served: Served, tmp_path: Path) -> None:
    async def scene(world: World) -> None:
        await world.pod()
        other = Authority(tmp_path / "other")
        tls = tls_of(other, *other.server(["elsewhere.test"]))
        async with backend(echo, tls) as port, world.session.get(f"{PODS}/https:p:{port}/proxy/x") as answer:
            assert json.loads(await answer.read())["target"] == "/x"
        async with backend(echo) as port:
            code, message = await world.refused(f"{PODS}/https:p:{port}/proxy/")
            assert (code, message.startswith("error trying to reach service: tls: ")) == (503, True)

    served(scene)


@asynccontextmanager
async def waiting() -> AsyncIterator[tuple[int, asyncio.Event, asyncio.Event]]:
    """A backend that never answers: its port, that it was asked, that whoever asked is gone."""
    asked, left = asyncio.Event(), asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        with suppress(ConnectionResetError):
            await reader.read()
        left.set()
        writer.close()

    async with talking(wait) as port:
        yield port, asked, left


def test_when_the_client_goes_the_pod_is_told(served: Served) -> None:
    async def scene(world: World) -> None:
        await world.pod()
        async with waiting() as (port, asked, left):
            request = asyncio.create_task(world.session.get(f"{PODS}/p:{port}/proxy/")._coro)  # type: ignore[arg-type]
            await asked.wait()
            request.cancel()
            await left.wait()

    served(scene)


def test_the_end_of_the_server_ends_what_waits(served: Served) -> None:
    async def scene(world: World) -> None:
        await world.pod()
        async with waiting() as (port, asked, left):
            # This client sends a GET again when its connection breaks.
            request = asyncio.create_task(world.refused(f"{PODS}/p:{port}/proxy/", "POST"))
            await asked.wait()
            await world.handler.end_streams()
            await left.wait()
            with pytest.raises(aiohttp.ClientError):
                await request

    served(scene)


async def greet(request: web.Request) -> web.StreamResponse:
    """A WebSocket that speaks first, and echoes."""
    made = web.WebSocketResponse(protocols=["chat"])
    await made.prepare(request)
    await made.send_str(f"hello {request.raw_path} {request.headers['Cookie']}")
    async for message in made:
        await made.send_str(message.data)
    return made


def test_a_websocket_goes_through_both_ways(served: Served) -> None:
    async def scene(world: World) -> None:
        await world.pod()
        async with backend(greet) as port:
            path = f"{PODS}/p:{port}/proxy/ws?a=1"
            made = world.session.ws_connect(path, protocols=["chat"], headers={"Cookie": "c=d"})
            async with made as connection:
                assert connection.protocol == "chat"
                assert await connection.receive_str() == "hello /ws?a=1 c=d"
                for size in (1, 300, 1_000_000):
                    await connection.send_str("x" * size)
                    assert len(await connection.receive_str()) == size
            assert connection.close_code == 1000

    served(scene)


def test_an_upgrade_that_the_pod_refuses_is_its_answer(served: Served) -> None:
    async def scene(world: World) -> None:
        await world.pod()
        async with backend(echo) as port:
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await world.session.ws_connect(f"{PODS}/p:{port}/proxy/ws")
            assert caught.value.status == 207

    served(scene)


def test_the_end_of_the_server_ends_what_was_upgraded(served: Served) -> None:
    async def scene(world: World) -> None:
        await world.pod()
        async with backend(greet) as port:
            path = f"{PODS}/p:{port}/proxy/ws"
            async with world.session.ws_connect(path, headers={"Cookie": "c=d"}) as connection:
                await connection.receive_str()
                await world.handler.end_streams()
                assert (await connection.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE)

    served(scene)
