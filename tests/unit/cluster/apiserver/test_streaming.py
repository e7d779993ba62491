"""exec and port-forward over a wire in memory: what a client gets, also when it does not do as it should."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from tests.unit.cluster.apiserver.spdyclient import MemoryWire

from jubako.cluster.apiserver.http.spdy import frames
from jubako.cluster.apiserver.http.spdy.codec import encode
from jubako.cluster.apiserver.http.spdy.frames import Reset
from jubako.cluster.apiserver.http.streaming import streams as of_streams
from jubako.cluster.apiserver.http.streaming.command import Command, run
from jubako.cluster.apiserver.http.streaming.ending import serve
from jubako.cluster.apiserver.http.streaming.ports import Pairs
from jubako.cluster.apiserver.http.streaming.remote import Opening
from jubako.cluster.apiserver.http.streaming.spdy import SpdyConnection
from jubako.cluster.apiserver.streams import Output, Session
from jubako.errors import FailedPrecondition, Unavailable

TIMEOUT_S = 20


class Process:
    """Writes what it is told to write, and keeps what it gets; `reads` lets it read."""

    def __init__(self) -> None:
        self.got, self.sizes = b"", list[tuple[int, int]]()
        self.input_ended, self.is_closed = asyncio.Event(), asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()
        self._says: asyncio.Queue[Output | None] = asyncio.Queue()
        self._code = 0

    def say(self, stream: int, data: bytes) -> None:
        self._says.put_nowait(Output(stream, data))

    def exit(self, code: int) -> None:
        self._code = code
        self._says.put_nowait(None)

    async def output(self) -> AsyncIterator[Output]:
        while (said := await self._says.get()) is not None:
            yield said

    async def exit_code(self) -> int:
        return self._code

    async def write(self, data: bytes) -> None:
        await self.reads.wait()
        self.got += data

    async def close_input(self) -> None:
        self.input_ended.set()

    async def resize(self, height: int, width: int) -> None:
        self.sizes.append((height, width))

    async def close(self) -> None:
        self.is_closed.set()


class Exec:
    """A command over SPDY in the running event loop."""

    def __init__(self, *names: str, as_status: bool = True, tells_code: bool = True) -> None:
        self.wire, self.process = MemoryWire(), Process()
        self.opening = Opening(names)
        self.streams = {name: 2 * index + 1 for index, name in enumerate(names)}
        for name in names:
            self.wire.send(self.wire.client.opening(streamtype=name))

        self.started = asyncio.Event()

        async def start() -> Session:
            self.started.set()
            return self.process

        self.command = Command(start=start, doing="error executing command in container", tells_code=tells_code)
        self.as_status = as_status
        self.served: asyncio.Task[None] | None = None

    async def work(self) -> None:
        await self.opening.all_there.wait()
        await run(self.command, self.opening.streams, as_status=self.as_status)

    def begin(self) -> None:
        self.served = asyncio.create_task(serve(SpdyConnection(self.wire, self.opening.take), self.work()))

    def send(self, name: str, data: bytes, *, fin: bool = False) -> None:
        self.wire.send(encode(frames.Data(self.streams[name], data, fin)))

    async def until(self, name: str) -> bytes:
        return await self.wire.until(self.streams[name])

    async def end(self) -> None:
        self.wire.hang_up()
        assert self.served is not None
        await self.served
        assert self.wire.is_closed


Scene = Callable[[], Coroutine[Any, Any, None]]


def play(scene: Scene) -> None:
    async def main() -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await scene()

    asyncio.run(main())


def test_a_command_from_its_stdin_to_its_exit_code() -> None:
    async def scene() -> None:
        it = Exec("error", "stdin", "stdout", "stderr")
        it.begin()
        it.send("stdin", b"in")
        it.send("stdin", b"put", fin=True)
        await it.process.input_ended.wait()
        assert it.process.got == b"input"
        it.process.say(1, b"out" * 20_000)
        it.process.say(2, b"err")
        it.process.exit(3)
        assert await it.until("stdout") == b"out" * 20_000
        assert await it.until("stderr") == b"err"
        status = json.loads(await it.until("error"))
        assert status["reason"] == "NonZeroExitCode"
        assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]
        assert it.process.is_closed.is_set()
        while it.wire.client.left is None:
            await asyncio.sleep(0)
        assert it.wire.client.left == 0
        await it.end()

    play(scene)


def test_success_is_a_status_from_v4_on_and_nothing_before() -> None:
    async def scene() -> None:
        for as_status, told in ((True, {"metadata": {}, "status": "Success"}), (False, None)):
            it = Exec("error", "stdout", as_status=as_status)
            it.begin()
            it.process.exit(0)
            said = await it.until("error")
            assert (json.loads(said) if said else None) == told
            await it.end()

    play(scene)


def test_the_end_of_a_process_that_was_attached_to_is_no_failure() -> None:
    async def scene() -> None:
        it = Exec("error", "stdout", tells_code=False)
        it.begin()
        it.process.exit(3)
        assert json.loads(await it.until("error"))["status"] == "Success"
        await it.end()

    play(scene)


def test_a_command_that_can_not_start_is_told_in_the_streams() -> None:
    async def scene() -> None:
        async def fail() -> Session:
            raise FailedPrecondition("no such program")

        it = Exec("error", "stdout")
        it.command = Command(start=fail, doing="error executing command in container", tells_code=True)
        it.begin()
        told = "Internal error occurred: error executing command in container: no such program"
        assert json.loads(await it.until("error"))["message"] == told
        assert await it.until("stdout") == b""
        await it.end()

    play(scene)


def test_when_the_client_goes_so_does_the_process() -> None:
    async def scene() -> None:
        it = Exec("error", "stdout")
        it.begin()
        await it.started.wait()
        it.wire.hang_up()
        await it.process.is_closed.wait()
        await it.end()

    play(scene)


def test_who_does_not_read_is_not_read_from_and_all_arrives_when_it_does() -> None:
    async def scene() -> None:
        it = Exec("error", "stdin", "stdout")
        it.begin()
        it.process.reads.clear()
        piece = b"x" * 50_000
        for _ in range(200):
            it.send("stdin", piece)
        it.send("stdin", b"", fin=True)
        for _ in range(1000):
            await asyncio.sleep(0)
        assert it.wire.read_bytes < of_streams.LIMIT_BYTES + 3 * len(piece)
        it.process.reads.set()
        await it.process.input_ended.wait()
        assert len(it.process.got) == 200 * len(piece)
        it.process.exit(0)
        await it.until("error")
        await it.end()

    play(scene)


def test_a_client_that_goes_while_it_is_not_read_from_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_streams, "_PATIENCE_S", 0.01)

    async def scene() -> None:
        it = Exec("error", "stdin", "stdout")
        it.begin()
        it.process.reads.clear()
        await it.started.wait()
        for _ in range(100):
            it.send("stdin", b"x" * 50_000)
        while frames.Ping(2) not in it.wire.client.other:
            await asyncio.sleep(0)
        it.wire.is_hung_up = True
        await it.process.is_closed.wait()
        await it.end()

    play(scene)


def test_sizes_come_one_after_another_however_they_are_cut() -> None:
    async def scene() -> None:
        it = Exec("error", "stdout", "resize")
        it.begin()
        for piece in (b'{"Width":80,"Hei', b'ght":24}\n{"Width":-1,"Height":2}{"Width"', b':132,"Height":50}'):
            it.send("resize", piece)
        while len(it.process.sizes) < 2:
            await asyncio.sleep(0)
        assert it.process.sizes == [(24, 80), (50, 132)]
        await it.end()

    play(scene)


def test_a_stream_that_was_not_asked_for_is_reset() -> None:
    async def scene() -> None:
        it = Exec("error", "stdout")
        it.wire.send(it.wire.client.opening(streamtype="stdin"))
        it.wire.send(it.wire.client.opening(streamtype="stdout"))
        it.begin()
        it.process.exit(0)
        await it.until("error")
        assert it.wire.client.resets == {5: Reset.CANCEL, 7: Reset.CANCEL}
        await it.end()

    play(scene)


class Pod:
    """Ports of this process on its loopback."""

    id = "pod"

    async def dial(self, port: int) -> socket.socket:
        made = socket.socket()
        made.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
        except OSError:
            made.close()
            raise Unavailable("nobody listens") from None
        return made


Serving = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class Forwarding:
    """A port-forward to a server in this event loop; `pair` opens one connection, and returns its streams."""

    def __init__(self) -> None:
        self.wire, self._pairs = MemoryWire(), Pairs(Pod())
        self._served = asyncio.create_task(serve(SpdyConnection(self.wire, self._pairs.take)))
        self._count = 0

    def pair(self, port: int | str, **more: str) -> tuple[int, int]:
        client, first = self.wire.client, 4 * self._count + 1
        self._count += 1
        for kind in ("error", "data"):
            self.wire.send(client.opening(streamtype=kind, port=str(port), **more))
        return first + 2, first

    async def end(self) -> None:
        self.wire.hang_up()
        await self._served
        await self._pairs.end()


async def _listening(serving: Serving) -> tuple[asyncio.Server, int]:
    server = await asyncio.start_server(serving, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def _count_and_tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read to the end, and only then answer: what a client that has finished still waits for."""
    size = 0
    while data := await reader.read(1 << 16):
        size += len(data)
    writer.write(b"%d" % size)
    writer.close()


@pytest.mark.parametrize("named", [True, False], ids=["named", "by-number"])
def test_connections_are_forwarded_side_by_side_and_finish_each_way(named: bool) -> None:
    async def scene() -> None:
        server, port = await _listening(_count_and_tell)
        it = Forwarding()
        pairs = [it.pair(port, **({"requestid": str(number)} if named else {})) for number in range(20)]
        for data, _ in pairs:
            it.wire.send(encode(frames.Data(data, b"x" * 10 * data)))
        for data, error in pairs:
            it.wire.send(encode(frames.Data(data, b"", fin=True)))
            assert await it.wire.until(data) == b"%d" % (10 * data)
            assert await it.wire.until(error) == b""
        await it.end()
        server.close()

    play(scene)


def test_a_port_that_refuses_is_told_and_the_others_go_on() -> None:
    async def scene() -> None:
        server, port = await _listening(_count_and_tell)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            refusing = taken.getsockname()[1]
            it = Forwarding()
            data, error = it.pair(refusing)
            told = f"error forwarding port {refusing} to pod pod, uid : nobody listens"
            assert await it.wire.until(error) == told.encode()
            assert await it.wire.until(data) == b""
        data, error = it.pair(port)
        it.wire.send(encode(frames.Data(data, b"abc", fin=True)))
        assert await it.wire.until(data) == b"3"
        await it.end()
        server.close()

    play(scene)


def test_a_reset_of_the_client_is_the_end_of_the_connection_in_the_pod() -> None:
    async def scene() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            begun.set()
            with suppress(ConnectionResetError):
                await reader.read()
            ended.set()
            writer.close()

        server, port = await _listening(wait)
        it = Forwarding()
        data, error = it.pair(port)
        it.wire.send(encode(frames.Data(data, b"unread")))
        await begun.wait()
        it.wire.send(encode(frames.RstStream(data, Reset.CANCEL)))
        await asyncio.wait_for(ended.wait(), 5)
        assert await it.wire.until(error) == b""
        await it.end()
        server.close()

    play(scene)


def test_streams_that_belong_to_no_connection_are_reset() -> None:
    async def scene() -> None:
        it = Forwarding()
        opening = partial(it.wire.client.opening, requestid="0")
        it.wire.send(opening(streamtype="data", port="0"))
        it.wire.send(opening(streamtype="data", port="65536"))
        it.wire.send(opening(streamtype="data", port="\u0668\u0660"))
        it.wire.send(opening(streamtype="stdin", port="80"))
        it.wire.send(opening(streamtype="data", port="80"))
        it.wire.send(opening(streamtype="data", port="80"))
        while len(it.wire.client.resets) < 5:
            await asyncio.sleep(0)
        assert set(it.wire.client.resets) == {1, 3, 5, 7, 11}
        await it.end()

    play(scene)
