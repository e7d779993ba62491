"""The ends of a pod's running containers: of all of them, or of one that is unhealthy.

Order:        containers side by side; sidecars after them, the last one first. Their preStop hooks all begin at once,
              and so does the wait until services lead elsewhere; the signal comes after both.
Concurrency:  the event loop; a task for each attempt that is ending.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Literal, Protocol, TypeVar

from jubako.cluster.node import hooks
from jubako.cluster.node.decide import initial, main, name_of
from jubako.cluster.node.engine import NodeEngine
from jubako.cluster.node.probes.checks import Checks
from jubako.cluster.node.probes.dialing import Failed
from jubako.cluster.node.seen import Attempt, Seen
from jubako.cluster.node.stopping import Stopping
from jubako.cluster.types.document import Object

T = TypeVar("T")


class Speaker(Protocol):
    """What an end needs of who brings it about."""

    def checks(self, container: Object, attempt: str) -> Checks: ...

    async def blocking(self, call: Callable[[], T]) -> T: ...

    async def withdrawn(self) -> None:
        """Wait until a pod that is being deleted gets no new connections, but not for ever."""

    def say(self, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None: ...


class Ending:
    def __init__(self, engine: NodeEngine, speaker: Speaker, full_name: str) -> None:
        self._engine, self._speaker, self._full_name = engine, speaker, full_name
        self._stops: dict[str, Stopping] = {}

    def note(self, seen: Seen) -> None:
        """See which have ended."""
        running = {each.id for attempts in seen.attempts.values() for each in attempts if each.running}
        for attempt in [attempt for attempt in self._stops if attempt not in running]:
            self._stops.pop(attempt).note_end()

    async def stop_all(self, pod: Object, seen: Seen, grace_s: int) -> None:
        """Have every container end, within so many seconds."""
        before = [await self._stop_last(each, seen, grace_s, ()) for each in main(pod)]
        for sidecar in reversed(initial(pod)):
            before.append(await self._stop_last(sidecar, seen, grace_s, [each for each in before if each]))

    async def _stop_last(
        self, container: Object, seen: Seen, grace_s: int, before: list[Stopping] | tuple[()]
    ) -> Stopping | None:
        last = seen.last(name_of(container))
        if last is None or not last.running:
            return None
        return await self.stop(container, last, grace_s, f"Stopping container {name_of(container)}", before)

    async def stop(
        self,
        container: Object,
        attempt: Attempt,
        grace_s: int,
        why: str,
        before: list[Stopping] | tuple[()] = (),
    ) -> Stopping:
        """Have one attempt end; one that is ending already ends no later for it."""
        known = self._stops.get(attempt.id)
        if known is not None:
            known.shorten(grace_s)
            return known
        self._speaker.say("Normal", "Killing", why)
        first = partial(self._before_signal, container, attempt.id)
        made = self._stops[attempt.id] = Stopping(first, partial(self._signal, attempt.id), before, grace_s)
        return made

    async def _before_signal(self, container: Object, attempt: str) -> None:
        waits = [self._speaker.withdrawn()]
        if handler := hooks.hook_of(container, "preStop"):
            waits.append(self._hook(self._speaker.checks(container, attempt), handler))
        await asyncio.gather(*waits)

    def cancel(self) -> None:
        """Leave everything as it is."""
        for each in self._stops.values():
            each.cancel()

    async def _hook(self, checks: Checks, handler: Object) -> None:
        try:
            await hooks.run(checks, handler, self._full_name)
        except Failed:
            # What it said is not told: it may be a secret.
            self._speaker.say("Warning", "FailedPreStopHook", "PreStopHook failed")

    async def _signal(self, attempt: str, kill: bool) -> None:
        await self._speaker.blocking(partial(self._engine.signal, attempt, kill))
