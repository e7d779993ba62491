"""The cluster's own Services: made, kept, and put right when the server is elsewhere."""

from __future__ import annotations

import pytest
from tests.unit.cluster.simulation import Simulation

from jubako.cluster.controllers import own
from jubako.cluster.controllers.kinds import ENDPOINT_SLICE, ENDPOINTS, SERVICE

MACHINE = "10.88.0.1"


def simulation(port: int) -> Simulation:
    services = [own.api_server("10.96.0.1", MACHINE, port), own.name_server("10.96.0.10", MACHINE, 5353)]
    found = Simulation([own.controller(services)])
    for name in ("default", "kube-system"):
        found.api.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "spec": {}})
    found.deliver_all()
    found.settle()
    return found


@pytest.fixture
def sim() -> Simulation:
    return simulation(6443)


def test_the_api_server_is_found_as_every_client_looks_for_it(sim: Simulation) -> None:
    spec = sim.api.find(SERVICE, "kubernetes")["spec"]
    assert spec["clusterIP"] == "10.96.0.1"
    assert spec["ports"] == [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": 6443}]
    subsets = sim.api.find(ENDPOINTS, "kubernetes")["subsets"]
    assert subsets == [{"addresses": [{"ip": MACHINE}], "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}]}]
    slice_ = sim.api.find(ENDPOINT_SLICE, "kubernetes")
    assert slice_["metadata"]["labels"] == {"kubernetes.io/service-name": "kubernetes"}
    assert slice_["endpoints"] == [{"addresses": [MACHINE], "conditions": {"ready": True}}]


def test_the_name_server_has_its_usual_name(sim: Simulation) -> None:
    service = sim.api.find(SERVICE, "kube-dns", "kube-system")
    assert service["metadata"]["labels"]["k8s-app"] == "kube-dns"
    assert [(each["protocol"], each["port"]) for each in service["spec"]["ports"]] == [("UDP", 53), ("TCP", 53)]


def test_what_is_deleted_comes_back_and_nothing_is_written_twice(sim: Simulation) -> None:
    revision = sim.api.revision
    sim.deliver_all()
    sim.settle()
    assert sim.api.revision == revision
    sim.api.remove(sim.api.find(SERVICE, "kubernetes"))
    sim.api.remove(sim.api.find(ENDPOINT_SLICE, "kubernetes"))
    sim.deliver_all()
    sim.settle()
    assert sim.api.find(SERVICE, "kubernetes")
    assert sim.api.find(ENDPOINT_SLICE, "kubernetes")


def test_a_server_that_has_moved_is_told_of_and_labels_of_others_stay(sim: Simulation) -> None:
    def edit(service: object) -> None:
        assert isinstance(service, dict)
        service["metadata"]["labels"]["mine"] = "x"

    sim.api.edit(SERVICE, "kubernetes", edit)
    sim.controllers = simulation(7443).controllers
    sim.restart()
    sim.settle()
    service = sim.api.find(SERVICE, "kubernetes")
    assert service["metadata"]["labels"]["mine"] == "x"
    assert service["spec"]["ports"][0]["targetPort"] == 7443
    assert sim.api.find(ENDPOINTS, "kubernetes")["subsets"][0]["ports"][0]["port"] == 7443
