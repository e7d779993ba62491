"""Services of the type LoadBalancer: who has the machine's address."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.simulation import Simulation

from jubako.cluster.controllers import balancers
from jubako.cluster.controllers.kinds import SERVICE

MACHINE = "10.88.0.1"


@pytest.fixture
def sim() -> Simulation:
    return Simulation([balancers.controller(MACHINE, {6443})])


def service(sim: Simulation, name: str, port: int, **spec: Any) -> None:
    wanted = {"type": "LoadBalancer", "ports": [{"port": port}], **spec}
    sim.api.add({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": wanted})
    sim.clock.time += 1
    settle(sim)


def settle(sim: Simulation) -> None:
    sim.deliver_all()
    sim.settle()


def address(sim: Simulation, name: str) -> list[str]:
    status = sim.api.find(SERVICE, name).get("status", {})
    return [each["ip"] for each in status.get("loadBalancer", {}).get("ingress", [])]


def test_a_balancer_has_the_machines_address_as_long_as_it_is_one(sim: Simulation) -> None:
    service(sim, "web", 80)
    assert address(sim, "web") == [MACHINE]
    assert ("Normal", "EnsuredLoadBalancer", "Ensured load balancer") in sim.api.events()
    sim.api.edit(SERVICE, "web", lambda each: each["spec"].update(type="ClusterIP"))
    settle(sim)
    assert address(sim, "web") == []


def test_the_second_that_wants_a_port_waits_for_the_first(sim: Simulation) -> None:
    service(sim, "first", 80)
    service(sim, "second", 80)
    service(sim, "third", 80)
    service(sim, "udp", 80, ports=[{"port": 80, "protocol": "UDP"}])
    assert [address(sim, name) for name in ("second", "third", "udp")] == [[], [], [MACHINE]]
    sim.api.remove(sim.api.find(SERVICE, "first"))
    settle(sim)
    assert [address(sim, name) for name in ("second", "third")] == [[MACHINE], []]


def test_what_the_cluster_listens_on_and_other_classes_are_left_alone(sim: Simulation) -> None:
    service(sim, "api", 6443)
    service(sim, "theirs", 81, loadBalancerClass="example.org/x")
    service(sim, "plain", 82, type="ClusterIP")
    assert [address(sim, name) for name in ("api", "theirs", "plain")] == [[], [], []]
