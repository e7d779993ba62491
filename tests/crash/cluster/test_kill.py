"""Writers, readers, watchers and compaction on a store whose process is killed again and again: one history."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.crash.cluster import served
from tests.crash.cluster.checker import Act, Seen, Stretch, check
from tests.crash.cluster.served import EPHEMERAL, OPTIONS, SLOW, Reply, Request

from jubako.cluster.store import DurableStore

KILLS = int(os.environ.get("JUBAKO_STORE_KILLS", "12"))
KEYS = [f"{prefix}{number}" for prefix in ("/p/a/", "/p/b/", EPHEMERAL) for number in range(8)]
PREFIXES = ["/", "/p/", "/p/a/", "/p/b/", "/p/b/3", EPHEMERAL]
LOST = (OSError, asyncio.IncompleteReadError)


class World:
    """The store's process, its clients, and what they see."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.directory = directory
        self.socket = str(directory / "socket")
        self.random = random.Random(seed)
        self.clock = itertools.count(1)
        self.values = itertools.count(1)
        self.acts: list[Act] = []
        self.stretches: list[Stretch] = []
        self.known: dict[str, int] = {}
        self.over = False
        self.gone = 0

    async def live(self) -> None:
        """Start the process and kill it, until it was killed often enough."""
        for _ in range(KILLS):
            process = await asyncio.create_subprocess_exec(
                sys.executable, served.__file__, str(self.directory / "cluster"), self.socket, stdout=subprocess.PIPE
            )
            assert process.stdout
            assert await process.stdout.readline() == b"ready\n"
            await asyncio.sleep(self.random.uniform(0.02, 0.5))
            process.kill()
            await process.wait()
        self.over = True

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while True:
            try:
                return await asyncio.open_unix_connection(self.socket)
            except OSError:
                if self.over:
                    raise
                await asyncio.sleep(0.01)

    async def ask(self, connection: Any, request: Request) -> Reply:
        reader, writer = connection
        await served.send(writer, request)
        return msgspec.msgpack.decode(await served.receive(reader), type=Reply)

    async def client(self) -> None:
        """One request after the other; what was asked when the process was killed has an unknown outcome."""
        while not self.over:
            try:
                connection = await self.connect()
                while True:
                    await self.act(connection, self.any_request())
            except LOST:
                continue

    def any_request(self) -> Request:
        kind = self.random.choice(["create", "update", "update", "update", "delete", "get", "list", "compact"])
        key, revision = self.random.choice(KEYS), 0
        if kind in ("update", "delete"):
            key = self.random.choice([*self.known, key])
            revision = self.known.get(key, 1) - self.random.choice([0, 0, 0, 1])
        if kind == "compact":
            latest = max((act.revision for act in self.acts[-20:]), default=0)
            return Request(kind, "", b"", max(0, latest - self.random.choice([2, 50, 200])))
        value = f"{next(self.values)}".encode() if kind in ("create", "update") else b""
        return Request(kind, "/p/" if kind == "list" else key, value, revision)

    async def act(self, connection: Any, request: Request) -> None:
        writes = request.act in ("create", "update", "delete")
        act = Act(request.act, request.key, request.value, request.revision * writes, next(self.clock))
        self.acts.append(act)
        reply = await self.ask(connection, request)
        act.ended = next(self.clock)
        act.outcome = reply.error or "ok"
        if writes and reply.events:
            act.event = reply.events[0]
            act.revision = act.event.revision
        elif request.act in ("get", "list"):
            act.revision = reply.revision
        if request.act == "get" or (reply.items and writes):
            act.item = reply.items[0] if reply.items else None
        self.learn(act)

    def learn(self, act: Act) -> None:
        held = act.event.current if act.event else act.item
        if held:
            self.known[act.key] = held.revision
        elif act.event:
            self.known.pop(act.key, None)

    async def watcher(self, prefix: str, pace: bytes = b"") -> None:
        """Watch until the watch or the process ends, go on from there, and list again when that is too long ago."""
        stretch: Stretch | None = None
        while not self.over:
            try:
                connection = await self.connect()
                if stretch is None:
                    page = await self.ask(connection, Request("list", prefix))
                    stretch = Stretch(prefix, page.revision, page.items, page.revision)
                    self.stretches.append(stretch)
                if await self.follow(connection, stretch, pace) == "Gone":
                    stretch = None
                    self.gone += 1
                connection[1].close()
            except LOST:
                continue

    async def follow(self, connection: Any, stretch: Stretch, pace: bytes) -> str:
        reply = await self.ask(connection, Request("watch", stretch.prefix, pace, stretch.end))
        while not reply.error:
            stretch.events += reply.events
            stretch.end = reply.revision
            reply = msgspec.msgpack.decode(await served.receive(connection[0]), type=Reply)
        return reply.error

    async def play(self) -> None:
        parts: list[Coroutine[Any, Any, None]] = [self.live()]
        parts += [self.client() for _ in range(6)]
        parts += [self.watcher(prefix) for prefix in PREFIXES for _ in range(2)]
        parts += [self.watcher(prefix, SLOW) for prefix in ("/", "/p/a/", EPHEMERAL) for _ in range(2)]
        results = await asyncio.gather(*parts, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, LOST):
                raise result


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_clients_of_a_killed_store_see_is_one_history(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, seed)
    asyncio.run(world.play())
    store = DurableStore(tmp_path / "cluster", OPTIONS)
    final = store.list("").items
    assert store.revision >= max(act.revision for act in world.acts)
    store.close()
    assert check(Seen(world.acts, world.stretches, final, EPHEMERAL)) == []
    outcomes = {act.outcome for act in world.acts}
    assert {"ok", "unknown", "StaleRevision", "AlreadyExists", "NotFound"} <= outcomes
    assert sum(act.outcome == "ok" and act.event is not None for act in world.acts) > 20 * KILLS
    assert sum(len(stretch.events) for stretch in world.stretches) > 100 * KILLS
    assert world.gone > KILLS
