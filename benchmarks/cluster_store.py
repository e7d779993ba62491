"""The cluster's object store on this disk: python -m benchmarks.cluster_store [DIRECTORY]

Prints acknowledged writes a second by the number of concurrent writers, how long a list of 10,000 objects and a start
with them take, and how many events a second 100 watchers get.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

from jubako.cluster.store import AsyncStore, DurableStore

VALUE = b"x" * 1024
CONFIG_MAPS = 10_000
WATCHERS, EVENTS, RATE = 100, 5000, 1000


async def write(store: AsyncStore, writers: int, seconds: float) -> tuple[float, float]:
    """Writes a second of so many writers, each with an object of its own, and the median wait in milliseconds."""
    until = time.perf_counter() + seconds
    waits: list[float] = []

    async def writer(number: int) -> None:
        key = f"/registry/bench/{writers}/{number}"
        event = await store.create(key, VALUE)
        while (began := time.perf_counter()) < until:
            event = await store.update(key, VALUE, event.revision)
            waits.append(time.perf_counter() - began)

    await asyncio.gather(*(writer(number) for number in range(writers)))
    return len(waits) / seconds, median(waits) * 1000


async def fill(store: AsyncStore) -> None:
    for start in range(0, CONFIG_MAPS, 500):
        await asyncio.gather(
            *(store.create(f"/registry/core/configmaps/default/{n:05}", VALUE) for n in range(start, start + 500))
        )


async def fan_out(store: AsyncStore) -> tuple[float, float]:
    """Deliveries a second to all watchers together as fast as it goes, and CPU seconds for one second of RATE."""
    done = [asyncio.ensure_future(_watch(store, EVENTS)) for _ in range(WATCHERS)]
    await asyncio.sleep(0)
    began = time.perf_counter()
    for start in range(0, EVENTS, 100):
        await asyncio.gather(*(store.create(f"/registry/fan/{n}", VALUE) for n in range(start, start + 100)))
    await asyncio.gather(*done)
    return EVENTS * WATCHERS / (time.perf_counter() - began), await _load(store)


async def _load(store: AsyncStore) -> float:
    done = [asyncio.ensure_future(_watch(store, RATE)) for _ in range(WATCHERS)]
    await asyncio.sleep(0)
    began, used = time.perf_counter(), time.process_time()
    for n in range(0, RATE, 10):
        await asyncio.gather(*(store.create(f"/registry/load/{n + i}", VALUE) for i in range(10)))
        await asyncio.sleep(max(0.0, began + n / RATE - time.perf_counter()))
    await asyncio.gather(*done)
    return (time.process_time() - used) / (time.perf_counter() - began)


async def _watch(store: AsyncStore, count: int) -> None:
    with store.watch("/registry/", store.revision) as watch:
        while count > 0:
            count -= len(await watch.batch())


def milliseconds(call: Callable[[], object]) -> float:
    """The median of nine calls."""
    times = []
    for _ in range(9):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return median(times) * 1000


def run(directory: Path, scene: Callable[[AsyncStore], Coroutine[Any, Any, Any]]) -> Any:
    async def main(core: DurableStore) -> Any:
        return await scene(AsyncStore(core))

    with closing(DurableStore(directory)) as core:
        return asyncio.run(main(core))


def main() -> None:
    """Measure everything in a new directory."""
    place = sys.argv[1] if len(sys.argv) > 1 else "/var/tmp"
    with tempfile.TemporaryDirectory(prefix="jubako-bench.", dir=place) as work:
        for writers in (1, 8, 64, 256):
            rate, wait_ms = run(Path(work, "writes"), lambda store, writers=writers: write(store, writers, 2))
            print(f"{writers:4} writers   {rate:8.0f} writes/s   {wait_ms:8.2f} ms each")
        deliveries, load = run(Path(work, "fan"), fan_out)
        print(f"{WATCHERS} watchers   {deliveries:8.0f} events/s in all, {load:.0%} of a core at {RATE} writes/s")
        full = Path(work, "full")
        run(full, fill)
        print(f"start with {CONFIG_MAPS} objects   {milliseconds(lambda: DurableStore(full).close()):8.1f} ms")
        with closing(DurableStore(full)) as core:
            print(f"list of {CONFIG_MAPS} objects    {milliseconds(lambda: core.list('/registry/')):8.1f} ms")
            old = core.revision - 2000
            print(f"the same at an old revision {milliseconds(lambda: core.list('/registry/', revision=old)):8.1f} ms")
            page = lambda: core.list("/registry/", limit=500, revision=core.revision)  # noqa: E731
            print(f"a page of 500               {milliseconds(page):8.1f} ms")


if __name__ == "__main__":
    main()
