"""Surge and availability hold in every interleaving of old views, crashes, edits and a slow node; it comes to rest."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import initialize, invariant, precondition, rule
from tests.unit.cluster.simulation import (
    Simulation,
    end_pod,
    is_active,
    is_ready,
    run_pod,
    set_ready,
    template,
    workload,
)

from jubako.cluster.controllers import deployment, replicaset
from jubako.cluster.controllers.deployment.bounds import fenceposts, replicas_of
from jubako.cluster.controllers.kinds import DEPLOYMENT, POD, REPLICA_SET, Key

from .interleaving import Settling, choice

KINDS = (DEPLOYMENT, REPLICA_SET, POD)
bound = st.integers(0, 3) | st.sampled_from(["0%", "10%", "25%", "50%", "100%"])


class Rollouts(Settling):
    """`floor` and `ceiling` are the bounds as declared; a change of size widens them until it rests."""

    @initialize(replicas=st.integers(0, 6), surge=bound, unavailable=bound)
    def start(self, replicas: int, surge: Any, unavailable: Any) -> None:
        self.sim = Simulation([deployment.CONTROLLER, replicaset.CONTROLLER])
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
        self.sim.api.add(workload(DEPLOYMENT, replicas=replicas, strategy=strategy))
        self.floor = 0
        self.ceiling = 0
        self.resized = True
        self.noted: set[str] = set()
        self.settle()

    def declared(self) -> dict[str, Any]:
        return self.sim.api.find(DEPLOYMENT, "web")

    def note_bounds(self) -> None:
        surge, unavailable = fenceposts(self.declared())
        replicas = replicas_of(self.declared())
        floor, ceiling = replicas - unavailable, replicas + surge
        self.floor = min(self.floor, floor) if self.resized else floor
        self.ceiling = max(self.ceiling, ceiling) if self.resized else ceiling

    def pods(self) -> list[dict[str, Any]]:
        return [pod for pod in self.sim.api.all(POD) if is_active(pod)]

    def known_ready(self) -> list[str]:
        """Pods that are ready, and that the controllers have seen ready: no other can be spared knowingly."""
        names = []
        for pod in self.pods():
            seen = self.sim.manager.cache.find(POD, Key("default", pod["metadata"]["name"]))
            if is_ready(pod) and seen is not None and is_ready(seen):
                names.append(pod["metadata"]["name"])
        return names

    def settle(self) -> None:
        self.bring_to_rest(60)
        replicas = replicas_of(self.declared())
        if not self.declared()["spec"].get("paused"):
            assert len(self.pods()) == replicas
            wanted = self.declared()["spec"]["template"]["spec"]["containers"][0]["image"]
            assert {pod["spec"]["containers"][0]["image"] for pod in self.pods()} <= {wanted}
            assert self.declared()["status"].get("updatedReplicas", 0) == replicas
        self.resized = False
        self.note_bounds()

    @rule(kind=st.sampled_from(KINDS), count=st.integers(1, 4))
    def deliver(self, kind: Any, count: int) -> None:
        self.sim.deliver(kind, count)

    @rule(places=st.lists(st.integers(0, 5), min_size=1, max_size=6))
    def work(self, places: list[int]) -> None:
        for place in places:
            before = set(self.known_ready())
            if not self.sim.work(place):
                return
            given_up = before - {pod["metadata"]["name"] for pod in self.pods()}
            if given_up and not self.resized:
                assert len(self.known_ready()) >= self.floor, "an available pod too many was given up"

    @rule(places=st.lists(st.integers(0, 5), max_size=10), ready=st.booleans())
    def bustle(self, places: list[int], ready: bool) -> None:
        """All is delivered, the node is quick, and some of what is to be done is done, in any order."""
        for pod in self.pods():
            if ready and not is_ready(pod):
                run_pod(self.sim.api, pod)
        self.sim.clock.time += 1
        self.sim.deliver_all()
        self.work(places)

    @rule(pick=choice)
    def the_node_starts_a_pod(self, pick: int) -> None:
        waiting = [pod for pod in self.pods() if not is_ready(pod)]
        if waiting:
            run_pod(self.sim.api, waiting[pick % len(waiting)])

    @rule(pick=choice, how=st.sampled_from(["not ready", "failed", "deleted"]))
    def a_pod_breaks(self, pick: int, how: str) -> None:
        running = [pod for pod in self.pods() if is_ready(pod)]
        if not running:
            return
        pod = running[pick % len(running)]
        # What breaks by itself is no fault of the controllers, so the floor is not theirs to hold until it rests.
        self.resized = True
        self.floor = 0
        if how == "not ready":
            set_ready(self.sim.api, pod, False)
        elif how == "failed":
            end_pod(self.sim.api, pod, "Failed")
        else:
            self.sim.api.remove(pod)

    @rule(version=st.integers(1, 4))
    def roll_out(self, version: int) -> None:
        self.sim.api.edit(DEPLOYMENT, "web", lambda each: each["spec"].update(template=template(f"app:{version}")))

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        self.sim.api.edit(DEPLOYMENT, "web", lambda each: each["spec"].update(paused=paused))

    @rule(replicas=st.integers(0, 8))
    def resize(self, replicas: int) -> None:
        self.resized = True
        self.note_bounds()
        self.sim.api.edit(DEPLOYMENT, "web", lambda each: each["spec"].update(replicas=replicas))
        self.note_bounds()

    @invariant()
    @precondition(lambda self: hasattr(self, "sim"))
    def never_more_than_the_surge(self) -> None:
        assert len(self.pods()) <= self.ceiling


Rollouts.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestRollouts = Rollouts.TestCase
