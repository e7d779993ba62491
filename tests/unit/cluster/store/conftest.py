"""Both stores, on a clock that the test turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jubako.cluster.store import DurableStore, MemoryStore, ObjectStore, Options

Open = Callable[[Options], ObjectStore]


class VirtualClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(params=["memory", "durable"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path, clock: VirtualClock) -> Iterator[Open]:
    """Opens one store, of either kind; it is closed after the test."""
    opened: list[ObjectStore] = []

    def open_(options: Options) -> ObjectStore:
        durable = request.param == "durable"
        store: ObjectStore = (
            DurableStore(tmp_path / "cluster", options, clock=clock) if durable else MemoryStore(options, clock=clock)
        )
        opened.append(store)
        return store

    yield open_
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Open) -> ObjectStore:
    return open_store(Options())
