from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.simulation import Simulation, run_pod, set_ready, stamp, workload

from jubako.cluster.controllers import disruption, replicaset
from jubako.cluster.controllers.kinds import POD, POD_DISRUPTION_BUDGET, REPLICA_SET


@pytest.fixture
def sim() -> Simulation:
    found = Simulation([disruption.CONTROLLER, replicaset.CONTROLLER])
    found.api.add(workload(REPLICA_SET, replicas=4))
    found.settle()
    for pod in found.api.all(POD):
        run_pod(found.api, pod)
    found.settle()
    return found


def budget(sim: Simulation, **spec: Any) -> None:
    kind = POD_DISRUPTION_BUDGET
    wanted = {"selector": {"matchLabels": {"app": "web"}}, **spec}
    sim.api.add({"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": "b"}, "spec": wanted})
    sim.settle()


def status(sim: Simulation) -> dict[str, Any]:
    found: dict[str, Any] = sim.api.find(POD_DISRUPTION_BUDGET, "b")["status"]
    return found


@pytest.mark.parametrize(
    ("spec", "desired", "allowed"),
    [
        ({"minAvailable": 3}, 3, 1),
        ({"minAvailable": "60%"}, 3, 1),
        ({"maxUnavailable": 1}, 3, 1),
        ({"maxUnavailable": "30%"}, 2, 2),
        ({"maxUnavailable": 0}, 4, 0),
        ({"minAvailable": 10}, 10, 0),
    ],
)
def test_how_many_may_go(sim: Simulation, spec: dict[str, Any], desired: int, allowed: int) -> None:
    budget(sim, **spec)
    assert status(sim)["desiredHealthy"] == desired
    assert status(sim)["disruptionsAllowed"] == allowed
    assert status(sim)["currentHealthy"] == status(sim)["expectedPods"] == 4
    (condition,) = status(sim)["conditions"]
    assert condition["reason"] == ("SufficientPods" if allowed else "InsufficientPods")


def test_a_pod_that_is_not_ready_takes_from_the_allowance(sim: Simulation) -> None:
    budget(sim, maxUnavailable=1)
    set_ready(sim.api, sim.api.all(POD)[0], False)
    sim.settle()
    assert status(sim)["disruptionsAllowed"] == 0


def test_a_pod_that_was_allowed_to_go_counts_as_gone_for_two_minutes(sim: Simulation) -> None:
    budget(sim, maxUnavailable=1)
    name = sim.api.all(POD)[0]["metadata"]["name"]
    known = sim.api.find(POD_DISRUPTION_BUDGET, "b")
    sim.api.change(known, disruptedPods={name: stamp(sim.clock.now())}, disruptionsAllowed=0)
    sim.advance(119)
    assert status(sim)["disruptionsAllowed"] == 0
    sim.advance(2)
    assert status(sim)["disruptionsAllowed"] == 1
    assert "disruptedPods" not in status(sim)


def test_without_pods_nothing_is_allowed_and_that_is_told(sim: Simulation) -> None:
    budget(sim, maxUnavailable=1, selector={"matchLabels": {"app": "none"}})
    assert status(sim)["disruptionsAllowed"] == 0
    assert ("Normal", "NoPods", "No matching pods found") in sim.api.events()
