"""Rows of the cluster's API, through HTTP and TLS: lists, watches, and writes that are on disk when they are answered.

The client is one process beside the server, and takes as much of the two processors as that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

import aiohttp

from benchmarks.cluster_client import CONFIG_MAPS, Cluster, up
from benchmarks.measure import number, numbers, timed
from benchmarks.peers import Bench
from benchmarks.rows import row

_OBJECTS, _WRITERS, _WATCHERS, _EVENTS = 10_000, 32, 100, 100
_WRITING_S = 3.0
_DATA = {"text": "x" * 1024}


@row("a list of 10,000 ConfigMaps of 1 KiB")
def cluster_list(bench: Bench, rounds: int) -> dict[str, Any]:
    with up(bench) as cluster:
        asyncio.run(_with_session(cluster, lambda session: _fill(session, _OBJECTS)))
        times = [timed(lambda: cluster.text("GET", CONFIG_MAPS)) for _ in range(rounds)]
        paged = [timed(lambda: cluster.text("GET", f"{CONFIG_MAPS}?limit=500")) for _ in range(rounds)]
    whole = number(median(times), "s", below=0.5)
    return numbers(whole=whole, page_of_500=number(median(paged) * 1000, "ms"))


@row("writes that are on disk when they are answered, 32 at a time")
def cluster_writes(bench: Bench, rounds: int) -> dict[str, Any]:
    with up(bench) as cluster:
        rates = [asyncio.run(_with_session(cluster, _write)) for _ in range(max(3, rounds // 3))]
    return numbers(rate=number(median(rates), "writes/s", above=1000.0))


@row("100 watchers of all ConfigMaps")
def cluster_watch(bench: Bench, rounds: int) -> dict[str, Any]:
    with up(bench) as cluster:
        rates = [asyncio.run(_with_session(cluster, _watch)) for _ in range(max(3, rounds // 3))]
    return numbers(rate=number(median(rates), "events/s in all", above=1000.0))


async def _with_session(cluster: Cluster, scene: Callable[[aiohttp.ClientSession], Awaitable[Any]]) -> Any:
    async with cluster.session() as session:
        return await scene(session)


async def _send(session: aiohttp.ClientSession, method: str, path: str, document: object = None) -> Any:
    async with session.request(method, path, json=document) as answer:
        answer.raise_for_status()
        return await answer.json(content_type=None)


def _config_map(name: str, turn: int = 0) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"turn": str(turn)}}, "data": _DATA}


async def _fill(session: aiohttp.ClientSession, count: int) -> None:
    """Make ConfigMaps, so many at a time as there are writers."""
    names = iter([f"config-{number:05}" for number in range(count)])

    async def writer() -> None:
        for name in names:
            await _send(session, "POST", CONFIG_MAPS, _config_map(name))

    await asyncio.gather(*(writer() for _ in range(_WRITERS)))


async def _write(session: aiohttp.ClientSession) -> float:
    """Writes a second, each writer changing an object of its own."""
    until, done = time.perf_counter() + _WRITING_S, 0

    async def writer(name: str) -> None:
        nonlocal done
        turn = time.time_ns()
        await _send(session, "POST", CONFIG_MAPS, _config_map(name))
        while time.perf_counter() < until:
            turn += 1
            await _send(session, "PUT", f"{CONFIG_MAPS}/{name}", _config_map(name, turn))
            done += 1
        await _send(session, "DELETE", f"{CONFIG_MAPS}/{name}")

    await asyncio.gather(*(writer(f"writer-{number}") for number in range(_WRITERS)))
    return done / _WRITING_S


async def _watch(session: aiohttp.ClientSession) -> float:
    """Events a second that all watchers together get, as fast as one writer and they can."""
    listing = await _send(session, "GET", f"{CONFIG_MAPS}?limit=1")
    since = listing["metadata"]["resourceVersion"]
    ready = asyncio.Semaphore(0)
    watching = [asyncio.create_task(_follow(session, since, ready)) for _ in range(_WATCHERS)]
    for _ in watching:
        await ready.acquire()
    start = time.perf_counter()
    await _send(session, "POST", CONFIG_MAPS, _config_map("watched"))
    for turn in range(1, _EVENTS):
        await _send(session, "PUT", f"{CONFIG_MAPS}/watched", _config_map("watched", turn))
    await asyncio.gather(*watching)
    took = time.perf_counter() - start
    await _send(session, "DELETE", f"{CONFIG_MAPS}/watched")
    return _WATCHERS * _EVENTS / took


async def _follow(session: aiohttp.ClientSession, since: str, ready: asyncio.Semaphore) -> None:
    async with session.get(f"{CONFIG_MAPS}?watch=1&resourceVersion={since}") as answer:
        ready.release()
        for _ in range(_EVENTS):
            assert await answer.content.readline(), "the watch has ended"
