"""What a registry does on its own: expiry of uploads, retention, collection, deliveries.

Of all processes that serve one directory, one does it: whoever holds the lock on ROOT/upkeep.lock. When that one dies,
the lock is free, and another takes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable

from jubako.errors import JubakoError
from jubako.linux import locks
from jubako.registry.server.collect import collect_state
from jubako.registry.server.outward.courier import Courier
from jubako.registry.server.registry import Registry, in_thread
from jubako.registry.server.retention import retain

_LOG = logging.getLogger("jubako.registry")
_LOCK_RETRY_S = 2.0
_EXPIRY_INTERVAL_S = 600.0
_RETENTION_INTERVAL_S = 3600.0


class Upkeep:
    """Works as a task of the event loop; `restart` has it read the configuration that is in force now."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        fd = os.open(self._registry.configuration.root / "upkeep.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while not locks.take(fd):
                await asyncio.sleep(_LOCK_RETRY_S)
            while True:
                self._registry.reloaded.clear()
                await self._work_until_reloaded()
        finally:
            os.close(fd)

    async def _work_until_reloaded(self) -> None:
        configuration, state = self._registry.configuration, self._registry.state
        courier = Courier(state, self._registry.manifests, configuration)
        self._registry.wake = courier.wake
        collection = configuration.collection
        work = [
            courier.run(),
            _repeat(_EXPIRY_INTERVAL_S, self._registry.uploads.expire),
            _repeat(_RETENTION_INTERVAL_S, lambda: retain(state, self._registry.manifests)),
        ]
        if collection.every is not None:
            collect = lambda: collect_state(state, grace_s=collection.grace, untagged=collection.delete_untagged)  # noqa: E731
            work.append(_repeat(collection.every, collect))
        tasks = [asyncio.ensure_future(one) for one in work]
        try:
            await self._registry.reloaded.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(interval_s: float, job: Callable[[], object]) -> None:
    """Do `job` now and after each interval; what goes wrong is logged, and tried again the next time."""
    while True:
        try:
            await in_thread(job)
        except (JubakoError, OSError):
            _LOG.exception("upkeep failed; it is tried again in %d s", interval_s)
        await asyncio.sleep(interval_s)
