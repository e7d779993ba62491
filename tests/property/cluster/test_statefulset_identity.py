"""In every interleaving: no identity runs twice, pods come and go in order, and it comes to rest."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import initialize, rule
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

from jubako.cluster.controllers import statefulset
from jubako.cluster.controllers.kinds import CONTROLLER_REVISION, POD, STATEFUL_SET

from .interleaving import Settling, choice

KINDS = (STATEFUL_SET, POD, CONTROLLER_REVISION)


class Identities(Settling):
    """`running` is what the node really runs, by name: the uid of the pod it was started for."""

    @initialize(replicas=st.integers(0, 4), policy=st.sampled_from(["OrderedReady", "Parallel"]))
    def start(self, replicas: int, policy: str) -> None:
        self.sim = Simulation([statefulset.CONTROLLER])
        self.ordered = policy == "OrderedReady"
        self.running: dict[str, str] = {}
        strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
        spec = {"serviceName": "web", "podManagementPolicy": policy, "updateStrategy": strategy}
        self.sim.api.add(workload(STATEFUL_SET, replicas=replicas, **spec))
        self.settle()

    def pods(self) -> list[dict[str, Any]]:
        return self.sim.api.all(POD)

    def run(self, pod: dict[str, Any]) -> None:
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        assert self.running.get(name, uid) == uid, f"{name} runs twice"
        self.running[name] = uid
        run_pod(self.sim.api, pod)

    def let_go(self, pod: dict[str, Any]) -> None:
        self.running.pop(pod["metadata"]["name"], None)
        self.sim.api.gone(pod)

    def settle(self) -> None:
        self.bring_to_rest(80)
        declared = self.sim.api.find(STATEFUL_SET, "web")
        assert sorted(self.running) == [f"web-{each}" for each in range(declared["spec"]["replicas"])]
        wanted = declared["spec"]["template"]["spec"]["containers"][0]["image"]
        assert all(pod["spec"]["containers"][0]["image"] == wanted for pod in self.pods())
        assert declared["status"]["currentRevision"] == declared["status"]["updateRevision"]

    @rule(kind=st.sampled_from(KINDS), count=st.integers(1, 3))
    def deliver(self, kind: Any, count: int) -> None:
        self.sim.deliver(kind, count)

    @rule(places=st.lists(st.integers(0, 5), min_size=1, max_size=6))
    def work(self, places: list[int]) -> None:
        for place in places:
            before = {pod["metadata"]["uid"] for pod in self.pods()}
            self.sim.work(place)
            made = [pod for pod in self.pods() if pod["metadata"]["uid"] not in before]
            if self.ordered:
                assert len(made) <= 1

    @rule(pick=choice)
    def the_node_starts_a_pod(self, pick: int) -> None:
        waiting = [pod for pod in self.pods() if is_active(pod) and not is_ready(pod)]
        if waiting:
            self.run(waiting[pick % len(waiting)])

    @rule(pick=choice, how=st.sampled_from(["not ready", "failed", "deleted"]))
    def a_pod_breaks(self, pick: int, how: str) -> None:
        running = [pod for pod in self.pods() if is_ready(pod) and is_active(pod)]
        if not running:
            return
        pod = running[pick % len(running)]
        if how == "not ready":
            set_ready(self.sim.api, pod, False)
        elif how == "failed":
            self.running.pop(pod["metadata"]["name"])
            end_pod(self.sim.api, pod, "Failed")
        else:
            self.sim.api.remove(pod)

    @rule(version=st.integers(1, 3))
    def roll_out(self, version: int) -> None:
        self.sim.api.edit(STATEFUL_SET, "web", lambda each: each["spec"].update(template=template(f"app:{version}")))

    @rule(replicas=st.integers(0, 4))
    def resize(self, replicas: int) -> None:
        self.sim.api.edit(STATEFUL_SET, "web", lambda each: each["spec"].update(replicas=replicas))


Identities.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestIdentities = Identities.TestCase
