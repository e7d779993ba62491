"""The store within asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.unit.cluster.store.acts import TIMEOUT_S

from jubako.cluster.store import AsyncStore, Create, Event, Gone, ObjectStore, StaleRevision, Stopped
from jubako.errors import AlreadyExists

Scene = Callable[[AsyncStore], Coroutine[Any, Any, None]]


@pytest.fixture
def play(store: ObjectStore) -> Callable[[Scene], None]:
    def play_(scene: Scene) -> None:
        async def main() -> None:
            async with asyncio.timeout(TIMEOUT_S):
                await scene(AsyncStore(store))

        asyncio.run(main())

    return play_


def test_writes_are_awaited_and_raise_what_they_must(play: Callable[[Scene], None]) -> None:
    async def scene(store: AsyncStore) -> None:
        first = await store.create("/a", b"1")
        second = await store.update("/a", b"2", first.revision)
        with pytest.raises(StaleRevision):
            await store.update("/a", b"3", first.revision)
        with pytest.raises(AlreadyExists):
            await store.create("/a", b"")
        assert store.get("/a") == second.current
        assert store.list("/").revision == store.revision == second.revision
        await store.delete("/a", second.revision)
        assert store.list("/").items == []

    play(scene)


def test_a_watch_tells_each_event_once_in_order_while_many_write(play: Callable[[Scene], None]) -> None:
    async def scene(store: AsyncStore) -> None:
        async def read(watch_after: int) -> list[Event]:
            told: list[Event] = []
            with store.watch("/p/", watch_after) as watch:
                async for event in watch:
                    told.append(event)
                    if len(told) == 400:
                        return told
            raise AssertionError

        async def write(number: int) -> None:
            event = await store.create(f"/p/{number}", b"1")
            await store.update(f"/p/{number}", b"2", event.revision)

        watches = [asyncio.ensure_future(read(1)) for _ in range(5)]
        await asyncio.gather(*(write(number) for number in range(200)))
        told = await asyncio.gather(*watches)
        assert [event.revision for event in told[0]] == [*range(2, 402)]
        assert all(other == told[0] for other in told)

    play(scene)


def test_a_batch_that_brings_nothing_in_time_is_a_bookmark(play: Callable[[Scene], None]) -> None:
    async def scene(store: AsyncStore) -> None:
        with store.watch("/p/", 1) as watch:
            event = await store.create("/q/a", b"")
            assert await watch.batch(timeout_s=0) == []
            assert watch.revision == event.revision

    play(scene)


def test_a_watch_that_was_cancelled_while_it_waited_has_lost_nothing(play: Callable[[Scene], None]) -> None:
    async def scene(store: AsyncStore) -> None:
        with store.watch("/", 1) as watch:
            waiting = asyncio.ensure_future(watch.batch())
            await asyncio.sleep(0)
            waiting.cancel()
            await store.create("/a", b"")
            assert [event.key for event in await watch.batch()] == ["/a"]

    play(scene)


def test_a_watch_that_fell_behind_ends_with_gone(play: Callable[[Scene], None]) -> None:
    async def scene(store: AsyncStore) -> None:
        with store.watch("/", 1) as watch:
            await store.create("/a", b"")
            await store.compact(store.revision)
            with pytest.raises(Gone):
                await watch.batch()
        with pytest.raises(Gone):
            store.watch("/", 1)

    play(scene)


def test_a_waiting_watch_ends_when_the_store_is_closed(store: ObjectStore, play: Callable[[Scene], None]) -> None:
    async def scene(edge: AsyncStore) -> None:
        with edge.watch("/", 1) as watch:
            waiting = asyncio.ensure_future(watch.batch())
            await asyncio.sleep(0)
            store.close()
            with pytest.raises(Stopped):
                await waiting

    play(scene)


def test_a_cancelled_write_disturbs_no_other(play: Callable[[Scene], None]) -> None:
    async def scene(store: AsyncStore) -> None:
        cancelled = asyncio.ensure_future(store.create("/a", b""))
        other = asyncio.ensure_future(store.transact([Create("/b", b"")]))
        await asyncio.sleep(0)
        cancelled.cancel()
        assert (await other)[0].key == "/b"
        assert len(store.list("/").items) == 2

    play(scene)


def test_a_loop_that_has_ended_does_not_stop_the_writer(store: ObjectStore) -> None:
    async def leave() -> None:
        AsyncStore(store).watch("/", 1)

    asyncio.run(leave())
    assert store.submit([Create("/a", b"")]).result(TIMEOUT_S)[0].revision == 2
