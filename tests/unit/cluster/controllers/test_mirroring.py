"""Endpoints of one's own behind a Service without a selector."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.simulation import Simulation

from jubako.cluster.controllers import garbage
from jubako.cluster.controllers.endpoints import mirroring, objects, slices
from jubako.cluster.controllers.kinds import ENDPOINT_SLICE, ENDPOINTS, SERVICE

PORTS = [{"port": 5432}]


@pytest.fixture
def sim() -> Simulation:
    kinds = [SERVICE, ENDPOINTS, ENDPOINT_SLICE]
    return Simulation([slices.CONTROLLER, objects.CONTROLLER, mirroring.CONTROLLER, garbage.controller(kinds)])


def service(sim: Simulation, **spec: Any) -> None:
    metadata = {"name": "db"}
    sim.api.add({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": PORTS, **spec}})


def endpoints(sim: Simulation, *addresses: str, not_ready: list[str] | None = None, **labels: str) -> None:
    subset: dict[str, Any] = {"addresses": [{"ip": each} for each in addresses], "ports": PORTS}
    if not_ready:
        subset["notReadyAddresses"] = [{"ip": each} for each in not_ready]
    metadata = {"name": "db", "labels": labels}
    sim.api.add({"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": [subset]})


def served(sim: Simulation) -> dict[str, bool]:
    sim.deliver_all()
    sim.settle()
    return {
        each["addresses"][0]: each["conditions"]["ready"]
        for slice_ in sim.api.all(ENDPOINT_SLICE)
        for each in slice_["endpoints"]
    }


def test_what_somebody_writes_is_served_and_followed(sim: Simulation) -> None:
    service(sim)
    endpoints(sim, "192.0.2.1", not_ready=["192.0.2.2"])
    assert served(sim) == {"192.0.2.1": True, "192.0.2.2": False}
    (slice_,) = sim.api.all(ENDPOINT_SLICE)
    assert slice_["ports"] == [{"name": "", "port": 5432, "protocol": "TCP"}]
    assert slice_["metadata"]["labels"] == {
        "kubernetes.io/service-name": "db",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    }
    sim.api.edit(ENDPOINTS, "db", lambda each: each["subsets"][0].update(addresses=[{"ip": "192.0.2.9"}]))
    assert served(sim) == {"192.0.2.9": True, "192.0.2.2": False}
    assert len(sim.api.all(ENDPOINT_SLICE)) == 1


def test_ports_that_change_change_the_slice(sim: Simulation) -> None:
    service(sim)
    endpoints(sim, "192.0.2.1")
    served(sim)
    sim.api.edit(ENDPOINTS, "db", lambda each: each["subsets"][0].update(ports=[{"port": 1}]))
    served(sim)
    assert [each["ports"][0]["port"] for each in sim.api.all(ENDPOINT_SLICE)] == [1]


def test_it_goes_with_the_endpoints_or_a_selector(sim: Simulation) -> None:
    service(sim)
    endpoints(sim, "192.0.2.1")
    assert served(sim)
    sim.api.remove(sim.api.find(ENDPOINTS, "db"))
    assert served(sim) == {}


def test_a_service_with_pods_has_no_mirror_nor_who_wants_none(sim: Simulation) -> None:
    service(sim, selector={"app": "db"})
    sim.deliver_all()
    sim.settle()
    assert all(
        each["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == slices.MANAGER
        for each in sim.api.all(ENDPOINT_SLICE)
    )
    sim.api.remove(sim.api.find(SERVICE, "db"))
    served(sim)
    service(sim)
    endpoints(sim, "192.0.2.1", **{mirroring.SKIP: "true"})
    assert served(sim) == {}
