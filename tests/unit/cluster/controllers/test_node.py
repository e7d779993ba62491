from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.simulation import Simulation, run_pod, stamp

from jubako.cluster.controllers.kinds import LEASE, NODE, POD
from jubako.cluster.controllers.node import eviction, health

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"


@pytest.fixture
def sim() -> Simulation:
    found = Simulation([health.CONTROLLER, eviction.CONTROLLER])
    found.api.add({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "spec": {}})
    lease = {"name": "node-1", "namespace": "kube-node-lease"}
    found.api.add({"apiVersion": LEASE.api_version, "kind": LEASE.name, "metadata": lease, "spec": {}})
    report(found, "True")
    renew(found)
    return found


def report(sim: Simulation, ready: str, **others: str) -> None:
    now = stamp(sim.clock.now())
    sim.api.change(
        sim.api.find(NODE, "node-1"),
        conditions=[
            {"type": type_, "status": status, "lastHeartbeatTime": now, "lastTransitionTime": now}
            for type_, status in {"Ready": ready, **others}.items()
        ],
    )
    sim.settle()


def renew(sim: Simulation) -> None:
    now = stamp(sim.clock.now())
    sim.api.edit(LEASE, "node-1", lambda each: each["spec"].update(renewTime=now), "kube-node-lease")
    sim.settle()


def taints(sim: Simulation) -> list[tuple[str, str]]:
    return [(each["key"], each["effect"]) for each in sim.api.find(NODE, "node-1")["spec"].get("taints", [])]


def conditions(sim: Simulation) -> dict[str, tuple[str, str]]:
    known = sim.api.find(NODE, "node-1")["status"]["conditions"]
    return {each["type"]: (each["status"], each.get("reason", "")) for each in known}


def pod(sim: Simulation, name: str = "p", **spec: Any) -> None:
    sim.api.add({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
    run_pod(sim.api, sim.api.find(POD, name))
    sim.settle()


def is_leaving(sim: Simulation, name: str = "p") -> bool:
    return "deletionTimestamp" in sim.api.find(POD, name)["metadata"]


def test_a_node_that_renews_its_lease_lives(sim: Simulation) -> None:
    for _ in range(10):
        sim.advance(30)
        renew(sim)
    assert conditions(sim) == {"Ready": ("True", "")}
    assert taints(sim) == []


def test_a_node_that_falls_silent_is_unknown_and_unreachable_and_comes_back(sim: Simulation) -> None:
    sim.advance(39)
    assert taints(sim) == []
    sim.advance(2)
    assert conditions(sim)["Ready"] == ("Unknown", "NodeStatusUnknown")
    assert taints(sim) == [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]
    assert ("Normal", "NodeNotReady", "Node node-1 status is now: NodeNotReady") in sim.api.events()
    renew(sim)
    report(sim, "True")
    assert taints(sim) == []


def test_conditions_become_taints_and_foreign_ones_stay(sim: Simulation) -> None:
    foreign = {"key": "mine", "effect": "NoSchedule"}
    sim.api.edit(NODE, "node-1", lambda each: each["spec"].update(taints=[foreign], unschedulable=True))
    report(sim, "False", DiskPressure="True")
    assert taints(sim) == [
        ("mine", "NoSchedule"),
        (NOT_READY, "NoSchedule"),
        (NOT_READY, "NoExecute"),
        ("node.kubernetes.io/disk-pressure", "NoSchedule"),
        ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ]
    sim.api.edit(NODE, "node-1", lambda each: each["spec"].update(unschedulable=False))
    report(sim, "True", DiskPressure="False")
    assert taints(sim) == [("mine", "NoSchedule")]


def test_pods_leave_when_they_do_not_tolerate_or_no_longer(sim: Simulation) -> None:
    def tolerating(**more: Any) -> dict[str, Any]:
        return {"tolerations": [{"key": NOT_READY, "operator": "Exists", "effect": "NoExecute", **more}]}

    pod(sim, "at-once")
    pod(sim, "after", **tolerating(tolerationSeconds=20))
    pod(sim, "never", **tolerating())
    report(sim, "False")
    assert is_leaving(sim, "at-once")
    (ready, disrupted) = sim.api.find(POD, "at-once")["status"]["conditions"]
    assert ready["type"] == "Ready"
    assert (disrupted["type"], disrupted["reason"]) == ("DisruptionTarget", "DeletionByTaintManager")
    assert ("Normal", "TaintManagerEviction", "Marking for deletion Pod default/at-once") in sim.api.events()
    sim.advance(19)
    assert not is_leaving(sim, "after")
    sim.advance(2)
    assert is_leaving(sim, "after")
    assert not is_leaving(sim, "never")


def test_a_pod_that_waits_stays_when_the_taint_goes(sim: Simulation) -> None:
    pod(sim, tolerations=[{"key": NOT_READY, "operator": "Exists", "tolerationSeconds": 20}])
    report(sim, "False")
    sim.advance(10)
    report(sim, "True")
    sim.advance(15)
    assert not is_leaving(sim)


def test_pods_of_a_node_that_was_deleted_go(sim: Simulation) -> None:
    sim.api.add({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-2"}, "spec": {}})
    pod(sim)
    sim.api.remove(sim.api.find(NODE, "node-1"))
    sim.settle()
    assert sim.api.all(POD) == []
