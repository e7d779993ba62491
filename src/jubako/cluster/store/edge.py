"""The object store for asyncio: the only place where the store's threads and an event loop meet.

Model:        reads are of memory and are plain calls. Writes are awaited. A watch is an asynchronous iterator.
Concurrency:  one event loop; whatever other threads have to say goes over one bridge, in order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import TypeVar

from jubako.cluster.store.model import Create, Delete, Event, Item, Page, Update, Write
from jubako.cluster.store.seam import ObjectStore

T = TypeVar("T")
_EVENTS_AT_ONCE = 500


class Bridge:
    """Has calls of other threads made by an event loop, in order; many calls cost it one wake-up."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._calls: deque[Callable[[], object]] = deque()
        self._awake = False

    def post(self, call: Callable[[], object]) -> None:
        """Make `call` soon; it must not raise. Once the loop is closed nobody is left to call for."""
        self._calls.append(call)
        if not self._awake:
            self._awake = True
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._run)

    def _run(self) -> None:
        self._awake = False  # before the first call: what is posted from here on wakes the loop again
        while self._calls:
            self._calls.popleft()()


class AsyncStore:
    """Made within the running loop that uses it; the core stays its owner's to close."""

    def __init__(self, core: ObjectStore) -> None:
        self._core = core
        self._loop = asyncio.get_running_loop()
        self._bridge = Bridge(self._loop)

    @property
    def revision(self) -> int:
        """The revision of the latest write."""
        return self._core.revision

    def get(self, key: str) -> Item:
        """Return what is under `key`; NotFound."""
        return self._core.get(key)

    def list(self, prefix: str, *, limit: int = 0, after: str = "", revision: int | None = None) -> Page:
        """Return items under `prefix` at one revision (ObjectStore.list)."""
        return self._core.list(prefix, limit=limit, after=after, revision=revision)

    async def create(self, key: str, value: bytes) -> Event:
        """Put a value under a key that has none; AlreadyExists."""
        return (await self.transact([Create(key, value)]))[0]

    async def update(self, key: str, value: bytes, revision: int) -> Event:
        """Replace the value that `revision` wrote; StaleRevision, NotFound."""
        return (await self.transact([Update(key, value, revision)]))[0]

    async def delete(self, key: str, revision: int) -> Event:
        """Remove the value that `revision` wrote; StaleRevision, NotFound."""
        return (await self.transact([Delete(key, revision)]))[0]

    async def transact(self, writes: Sequence[Write]) -> Sequence[Event]:
        """Do all of the writes or none, durably. Cancelled, it may have happened nevertheless."""
        return await self._outcome(self._core.submit(writes))

    async def compact(self, revision: int) -> None:
        """Forget the history through `revision`."""
        await self._outcome(self._core.compact(revision))

    def watch(self, prefix: str, after_revision: int) -> Watch:
        """Watch `prefix` from after a revision on; Gone, FutureRevision. The caller closes it."""
        return Watch(self._core, self._bridge, prefix, after_revision)

    async def _outcome(self, begun: Future[T]) -> T:
        future: asyncio.Future[T] = self._loop.create_future()
        begun.add_done_callback(lambda done: self._bridge.post(partial(_copy, done, future)))
        return await future


class Watch:
    """The events under one prefix, in order, each once, none left out; ends with Gone or Stopped."""

    def __init__(self, core: ObjectStore, bridge: Bridge, prefix: str, after_revision: int) -> None:
        self._ready = asyncio.Event()
        self._subscription = core.subscribe(prefix, after_revision, partial(bridge.post, self._ready.set))
        self.revision = after_revision

    async def batch(self, timeout_s: float | None = None) -> Sequence[Event]:
        """Wait for events and return them; none where none came in time.

        `revision` is then a bookmark: whoever has these events misses nothing up to it. Safe to cancel.
        """
        while not (events := self._take()):
            try:
                async with asyncio.timeout(timeout_s):
                    await self._ready.wait()
            except TimeoutError:
                return self._take()
        return events

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            for event in await self.batch():
                yield event

    def _take(self) -> Sequence[Event]:
        self._ready.clear()  # before the look: what comes after it sets it again
        events, self.revision = self._subscription.take(_EVENTS_AT_ONCE)
        return events

    def close(self) -> None:
        self._subscription.close()

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _copy(done: Future[T], future: asyncio.Future[T]) -> None:
    if future.done():
        return  # the caller was cancelled
    if error := done.exception():
        future.set_exception(error)
    else:
        future.set_result(done.result())
