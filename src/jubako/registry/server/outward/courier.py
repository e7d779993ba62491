"""Delivering what waits in the outbox: each target by itself, in order, again and again with growing pauses.

Concurrency:  one process of a registry does it (upkeep.py); each target has one delivery under way.
Crashes:      a record goes only after its delivery, so that a target may be told twice, and is never not told.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from jubako.errors import JubakoError
from jubako.registry.server.config.schema import Configuration
from jubako.registry.server.documents import Delivery
from jubako.registry.server.events import Event
from jubako.registry.server.manifests import Manifests
from jubako.registry.server.outbox import target_of
from jubako.registry.server.outward.replication import Replicator
from jubako.registry.server.outward.webhooks import post
from jubako.registry.server.state import State
from jubako.spec import decoding

_LOG = logging.getLogger("jubako.registry")
# Another process of the registry wakes nobody here.
_POLL_S = 0.5
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 900.0
# A week or so of these pauses; then a webhook has lost the event. Peers are never given up.
_WEBHOOK_ATTEMPTS = 700

Deliver = Callable[[Event], None]


class Courier:
    def __init__(self, state: State, manifests: Manifests, configuration: Configuration) -> None:
        self._state = state
        self._targets: dict[str, Deliver] = {}
        for hook in configuration.webhooks:
            self._targets[target_of(hook)] = lambda event, hook=hook: post(hook, event)  # type: ignore[misc]
        for peer in configuration.peers:
            self._targets[target_of(peer)] = Replicator(peer, state, manifests).bring
        self._wanted = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def wake(self) -> None:
        """Something was added; from any thread."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._wanted.set)

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            await self._loop.run_in_executor(None, self._forget_strangers)
        except (JubakoError, OSError):
            _LOG.exception("what waits for targets of before stays for now")
        if not self._targets:
            return
        # Threads of their own: a target that is slow must not keep pushes from theirs.
        pool = ThreadPoolExecutor(len(self._targets), "courier")
        try:
            await asyncio.gather(*(self._serve(pool, target) for target in self._targets))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _forget_strangers(self) -> None:
        """Drop what waits for targets that are no longer configured."""
        known = tuple(self._targets)
        for key in self._state.read.deliveries.keys():
            if not known or not key.startswith(known):
                self._state.write.deliveries.delete(key)

    async def _serve(self, pool: ThreadPoolExecutor, target: str) -> None:
        while True:
            self._wanted.clear()
            if not await self._loop.run_in_executor(pool, self._deliver_next, target):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wanted.wait(), _POLL_S)

    def _deliver_next(self, target: str) -> bool:
        """Try the first that is due, and say whether there was one. Nothing that goes wrong ends the deliveries."""
        try:
            due = self._next(target)
            if due is not None:
                self.attempt(target, *due)
            return due is not None
        except Exception:
            _LOG.exception("the deliveries of a target failed; they are tried again")
            return False

    def _next(self, target: str) -> tuple[str, Delivery] | None:
        """The first that is due. A webhook gets its events in order: one that must wait holds up the others."""
        now = self._state.clock()
        waiting = self._state.read.deliveries.items(target)
        if target.startswith("hook/"):
            waiting = waiting[:1]
        return next(((key, delivery) for key, delivery in waiting if delivery.next_at <= now), None)

    def attempt(self, target: str, key: str, delivery: Delivery) -> None:
        """Deliver once, and record how that went."""
        event = decoding.decode(delivery.event, Event)
        try:
            self._targets[target](event)
        # Whatever it is, the event waits longer, and the others get their turn.
        except Exception as error:
            attempts = delivery.attempts + 1
            given_up = target.startswith("hook/") and attempts >= _WEBHOOK_ATTEMPTS
            _LOG.warning("%s of %s was not delivered (%d): %s", event.action, event.repository, attempts, error)
            pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(attempts - 1, 20)) * random.uniform(0.8, 1.2)
            later = Delivery(delivery.event, attempts, self._state.clock() + pause)
            self._settle(key, delivery, None if given_up else later)
        else:
            self._settle(key, delivery, None)

    def _settle(self, key: str, delivery: Delivery, later: Delivery | None) -> None:
        deliveries = self._state.write.deliveries
        with self._state.store.records.transaction():
            # What was replaced meanwhile is a newer event of the same reference, and still to be delivered.
            now = deliveries.find(key)
            if now is None or bytes(now.event) != bytes(delivery.event):
                return
            if later is None:
                deliveries.delete(key)
            else:
                deliveries.replace(key, later)
