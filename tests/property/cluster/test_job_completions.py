"""In every interleaving: a Job has no more pods or completions than were asked for, each counts once, and it ends."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import initialize, invariant, precondition, rule
from tests.unit.cluster.simulation import Simulation, end_pod, is_active, run_pod

from jubako.cluster.controllers import job
from jubako.cluster.controllers.job import indexes
from jubako.cluster.controllers.kinds import JOB, POD

from .interleaving import Interleaving, choice

LABELS = {"batch.kubernetes.io/job-name": "j"}


class Completions(Interleaving):
    """`ended` are the uids of pods that came to an end by themselves, with how."""

    @initialize(
        completions=st.integers(1, 6),
        parallelism=st.integers(1, 4),
        mode=st.sampled_from(["Indexed", "PerIndex", "NonIndexed"]),
    )
    def start(self, completions: int, parallelism: int, mode: str) -> None:
        self.sim = Simulation([job.CONTROLLER, job.ORPHANS])
        self.completions = completions
        self.most = parallelism
        self.indexed = mode != "NonIndexed"
        self.succeeded: set[str] = set()
        self.failed: set[str] = set()
        template = {
            "metadata": {"labels": LABELS},
            "spec": {"containers": [{"name": "main"}], "restartPolicy": "Never"},
        }
        spec: dict[str, Any] = {"selector": {"matchLabels": LABELS}, "template": template, "backoffLimit": 1000}
        spec |= {
            "completions": completions,
            "parallelism": parallelism,
            "completionMode": "Indexed" if self.indexed else mode,
        }
        if mode == "PerIndex":
            spec["backoffLimitPerIndex"] = 1000
        self.sim.api.add({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": spec})

    def pods(self) -> list[dict[str, Any]]:
        return [pod for pod in self.sim.api.all(POD) if is_active(pod)]

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.sim.api.find(JOB, "j").get("status", {})
        return found

    def is_over(self) -> bool:
        return any(each["type"] == "Complete" for each in self.status().get("conditions", []))

    def counted(self, field: str) -> int:
        noted = self.status().get("uncountedTerminatedPods", {}).get(field, [])
        return int(self.status().get(field, 0)) + len(noted)

    def end(self, pod: dict[str, Any], phase: str) -> None:
        if not pod["spec"].get("nodeName"):
            run_pod(self.sim.api, pod)
        (self.succeeded if phase == "Succeeded" else self.failed).add(pod["metadata"]["uid"])
        end_pod(self.sim.api, pod, phase, 0 if phase == "Succeeded" else 1)

    @rule(kind=st.sampled_from([JOB, POD]), count=st.integers(1, 4))
    def deliver(self, kind: Any, count: int) -> None:
        self.sim.deliver(kind, count)

    @rule(places=st.lists(st.integers(0, 5), min_size=1, max_size=6))
    def work(self, places: list[int]) -> None:
        for place in places:
            self.sim.work(place)

    @rule(seconds=st.sampled_from([1, 15, 700]))
    def time_passes(self, seconds: int) -> None:
        self.sim.clock.time += seconds

    @rule(pick=choice, phase=st.sampled_from(["Succeeded", "Succeeded", "Failed"]))
    def a_pod_ends(self, pick: int, phase: str) -> None:
        if running := self.pods():
            self.end(running[pick % len(running)], phase)

    @rule(pick=choice)
    def somebody_deletes_a_pod(self, pick: int) -> None:
        if running := self.pods():
            self.sim.api.remove(running[pick % len(running)])

    @rule(parallelism=st.integers(0, 4))
    def resize(self, parallelism: int) -> None:
        self.most = max(self.most, parallelism)
        self.sim.api.edit(JOB, "j", lambda each: each["spec"].update(parallelism=parallelism))

    @rule(suspend=st.booleans())
    def suspend(self, suspend: bool) -> None:
        self.sim.api.edit(JOB, "j", lambda each: each["spec"].update(suspend=suspend))

    @rule()
    def rest(self) -> None:
        """All pods succeed from here on: the Job comes to its end, whatever was before."""
        self.sim.api.edit(JOB, "j", lambda each: each["spec"].update(suspend=False, parallelism=2))
        self.most = max(self.most, 2)
        for _ in range(60):
            self.sim.advance(700)
            if self.is_over():
                break
            for pod in self.sim.api.all(POD):
                if "deletionTimestamp" in pod["metadata"]:
                    self.sim.api.gone(pod)
                elif is_active(pod):
                    self.end(pod, "Succeeded")
        assert self.is_over()
        assert self.status().get("uncountedTerminatedPods") == {}
        done = indexes.parse(self.status().get("completedIndexes", "")) if self.indexed else None
        assert done is None or done == set(range(self.completions))
        assert self.status()["succeeded"] == self.completions
        assert all(not pod["metadata"].get("finalizers") for pod in self.sim.api.all(POD))

    @invariant()
    @precondition(lambda self: hasattr(self, "sim"))
    def never_too_many(self) -> None:
        assert len(self.pods()) <= self.most
        assert self.counted("succeeded") <= min(self.completions, len(self.succeeded))
        if not self.indexed:
            assert len(self.pods()) + self.counted("succeeded") <= self.completions


Completions.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestCompletions = Completions.TestCase
