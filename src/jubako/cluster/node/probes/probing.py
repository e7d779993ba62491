"""startup, liveness and readiness probes of one attempt of a container.

Model:        one task for each probe. Until the startup probe has succeeded the others wait; each begins when the
              container is initialDelaySeconds old. What came so many times in a row that its threshold is reached
              counts; a failed liveness or startup probe ends the attempt, and rests until there is another.
Restarted:    what the pod's status says of this attempt holds until a probe says otherwise.
Concurrency:  tasks of the event loop; `execute` blocks and is called in a thread.
Spec:         "Pod Lifecycle", Container probes; core/v1 Probe; k8s.io/kubernetes/pkg/kubelet/prober/worker.go.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from jubako.cluster.node.probes.checks import Checks, Outcome
from jubako.cluster.node.seen import Health
from jubako.cluster.types.document import Object, integer, mapping

_KINDS = ("startup", "liveness", "readiness")


class Probing:
    """`tell` is called with (kind, outcome) for what is worth an event, `changed` when the health is another."""

    def __init__(
        self,
        checks: Checks,
        begun: float,
        before: Object,
        tell: Callable[[str, Outcome], None],
        changed: Callable[[], None],
    ) -> None:
        """`begun` is when the attempt was started, `before` what was told of it, if anything."""
        self._checks, self._begun, self._tell, self._changed = checks, begun, tell, changed
        probes = {name: mapping(checks.container.get(f"{name}Probe")) for name in _KINDS}
        started = not probes["startup"] or before.get("started") is True
        ready = not probes["readiness"] or (started and before.get("ready") is True)
        self.health = Health(attempt=checks.attempt, started=started, ready=ready)
        self._started = asyncio.Event()
        if started:
            self._started.set()
            probes["startup"] = {}
        self._tasks = {name: asyncio.create_task(self._run(name, probe)) for name, probe in probes.items() if probe}

    def stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()

    def rest(self) -> None:
        """The pod is ending: only whether it is ready still matters."""
        for name, task in self._tasks.items():
            if name != "readiness":
                task.cancel()

    async def _run(self, name: str, probe: Object) -> None:
        if name != "startup":
            await self._started.wait()
        await asyncio.sleep(max(self._begun + integer(probe.get("initialDelaySeconds")) - time.time(), 0))
        period_s, row = integer(probe.get("periodSeconds"), 10), Row(probe)
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            outcome = await self._checks.look(probe)
            if outcome.ok is False or (outcome.ok and outcome.message):
                self._tell(name, outcome)
            if (reached := row.add(outcome.ok)) is not None and self._reach(name, reached):
                return
            due = max(due + period_s, loop.time())
            await asyncio.sleep(due - loop.time())

    def _reach(self, name: str, ok: bool) -> bool:
        """A threshold is reached; tells whether the probe has no more to say."""
        match name:
            case "readiness":
                self._set(ready=ok)
                return False
            case "startup" if ok:
                self._set(started=True)
                self._started.set()
                return True
            case _ if not ok:
                self._set(failed=name)
                return True
            case _:
                return False

    def _set(self, **change: bool | str) -> None:
        health = msgspec.structs.replace(self.health, **change)
        if health != self.health:
            self.health = health
            self._changed()


class Row:
    """How many times in a row a probe has said the same."""

    def __init__(self, probe: Object) -> None:
        self._needed = {
            True: integer(probe.get("successThreshold"), 1),
            False: integer(probe.get("failureThreshold"), 3),
        }
        self._last, self._times = False, 0

    def add(self, ok: bool | None) -> bool | None:
        """Count one outcome, and return it where it counts now; what nobody knows changes nothing."""
        if ok is None:
            return None
        self._times = self._times + 1 if ok == self._last else 1
        self._last = ok
        return ok if self._times >= self._needed[ok] else None
