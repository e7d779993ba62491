"""How the running containers of one pod are: each that has probes is probed, and nothing else.

Concurrency:  the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from jubako.cluster.node.decide import initial, main, name_of
from jubako.cluster.node.probes.checks import Checks, Execute, Outcome
from jubako.cluster.node.probes.probing import Probing
from jubako.cluster.node.seen import Attempt, Health, Seen
from jubako.cluster.types.document import Object, at, objects

_PROBED = ("startupProbe", "livenessProbe", "readinessProbe")


class Healths:
    """`tell` is called with (reason, message) for an event, `changed` when a container is another way than before."""

    def __init__(self, execute: Execute, tell: Callable[[str, str], None], changed: Callable[[], None]) -> None:
        self._execute, self._tell, self._changed = execute, tell, changed
        self._probes: dict[str, Probing] = {}

    def known(self) -> Mapping[str, Health]:
        return {name: probing.health for name, probing in self._probes.items()}

    def watch(self, pod: Object, seen: Seen, address: str) -> None:
        """Probe what runs now."""
        for container in (*initial(pod), *main(pod)):
            name = name_of(container)
            last, probing = seen.last(name), self._probes.get(name)
            runs = last is not None and last.running
            if probing is not None and not (runs and last is not None and probing.health.attempt == last.id):
                probing.stop()
                del self._probes[name]
                probing = None
            if probing is None and runs and last is not None and any(container.get(kind) for kind in _PROBED):
                self._probes[name] = self._begin(pod, container, last, address)
        if at(pod, "metadata", "deletionTimestamp"):
            for probing in self._probes.values():
                probing.rest()

    def stop(self) -> None:
        for probing in self._probes.values():
            probing.stop()

    def _begin(self, pod: Object, container: Object, attempt: Attempt, address: str) -> Probing:
        checks = Checks(attempt=attempt.id, container=container, address=address, execute=self._execute)
        told = next((each for each in _statuses(pod) if each.get("containerID") == f"jubako://{attempt.id}"), {})
        return Probing(checks, attempt.started, told, self._say, self._changed)

    def _say(self, kind: str, outcome: Outcome) -> None:
        if outcome.ok:
            self._tell("ProbeWarning", f"{kind.capitalize()} probe warning: {outcome.message}")
        else:
            self._tell("Unhealthy", f"{kind.capitalize()} probe failed: {outcome.message}")


def _statuses(pod: Object) -> Iterator[Object]:
    for group in ("initContainerStatuses", "containerStatuses"):
        yield from objects(at(pod, "status", group))
