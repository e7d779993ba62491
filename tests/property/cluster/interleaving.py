"""What every machine of controllers may suffer: old views, crashes, lost answers, a node that is slow."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from tests.unit.cluster.simulation import Simulation, is_active, is_ready, run_pod

from jubako.cluster.controllers.kinds import POD
from jubako.errors import Unavailable

choice = st.integers(0, 1 << 16)


class Interleaving(RuleBasedStateMachine):
    """`sim` is made by the first rule of who inherits."""

    sim: Simulation

    def let_go(self, pod: dict[str, Any]) -> None:
        """The node has ended a pod that is being deleted."""
        self.sim.api.gone(pod)

    @rule()
    def crash(self) -> None:
        self.sim.restart()

    @rule(pick=choice)
    def the_node_ends_a_pod(self, pick: int) -> None:
        ending = [pod for pod in self.sim.api.all(POD) if "deletionTimestamp" in pod["metadata"]]
        if ending:
            self.let_go(ending[pick % len(ending)])

    @rule(pick=choice)
    def lose_an_answer(self, pick: int) -> None:
        losses = iter([None] * (pick % 3) + [Unavailable("timed out")])
        self.sim.api.lose = lambda verb, document: next(losses, None) if document["kind"] != "Event" else None


class Settling(Interleaving):
    """One that comes to rest by itself, however little time passes."""

    def settle(self) -> None:
        """Deliver everything, let the node do its work, until nothing moves: then the declared state is there."""
        raise NotImplementedError

    def bring_to_rest(self, turns: int) -> None:
        for _ in range(turns):
            before = self.sim.api.revision
            self.sim.advance(1)
            for pod in self.sim.api.all(POD):
                if "deletionTimestamp" in pod["metadata"]:
                    self.let_go(pod)
                elif is_active(pod) and not is_ready(pod):
                    self.run(pod)
            if self.sim.api.revision == before:
                return
        raise AssertionError("it does not come to rest")

    def run(self, pod: dict[str, Any]) -> None:
        """The node has started a pod."""
        run_pod(self.sim.api, pod)

    @rule()
    def rest(self) -> None:
        self.settle()

    @rule()
    def time_passes(self) -> None:
        self.sim.clock.time += 1
