"""exec over the channels of a WebSocket: when a client is given what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web
from tests.unit.cluster.apiserver.test_streaming import Process, play

from jubako.cluster.apiserver.http.streaming.command import Command
from jubako.cluster.apiserver.http.streaming.remote import serve_command
from jubako.cluster.apiserver.streams import Session

NAMES = ["stdin", "stdout", "error"]


@asynccontextmanager
async def connected(process: Process) -> AsyncIterator[ClientWebSocketResponse]:
    """A client that answers nothing by itself."""

    async def start() -> Session:
        return process

    async def handle(request: web.Request) -> web.StreamResponse:
        return await serve_command(request, NAMES, Command(start=start, doing="doing", tells_code=True))

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = "http://127.0.0.1:{}/".format(*runner.addresses[0][1:2])
    try:
        async with (
            ClientSession() as session,
            session.ws_connect(url, protocols=["v5.channel.k8s.io"], autoping=False) as client,
        ):
            yield client
    finally:
        await runner.cleanup()


def test_a_client_is_given_output_when_it_has_shown_that_it_reads() -> None:
    async def scene() -> None:
        process = Process()
        process.say(1, b"hi")
        async with connected(process) as client:
            asked = await client.receive()
            assert asked.type is WSMsgType.PING
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.receive(), 0.05)
            await client.pong(asked.data)
            assert (await client.receive()).data == b"\x01"
            assert (await client.receive()).data == b"\x01hi"
            await client.send_bytes(b"\x00in")
            await client.send_bytes(b"\xff\x00")
            await process.input_ended.wait()
            process.exit(0)
            assert (await client.receive()).data.startswith(b"\x03{")
        assert process.got == b"in"

    play(scene)


def test_who_answers_no_ping_is_given_it_all_the_same() -> None:
    async def scene() -> None:
        process = Process()
        process.say(1, b"hi")
        async with connected(process) as client:
            received = [await client.receive() for _ in range(3)]
            assert [each.data for each in received[1:]] == [b"\x01", b"\x01hi"]
            process.exit(0)

    play(scene)


def test_a_ping_of_the_client_is_answered() -> None:
    async def scene() -> None:
        process = Process()
        async with connected(process) as client:
            await client.ping(b"there?")
            kinds = {(each.type, bytes(each.data)) for each in [await client.receive() for _ in range(3)]}
            assert (WSMsgType.PONG, b"there?") in kinds
            process.exit(0)

    play(scene)
