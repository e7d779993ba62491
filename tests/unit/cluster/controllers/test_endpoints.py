from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.simulation import Simulation, end_pod, run_pod

from jubako.cluster.controllers.endpoints import objects, slices
from jubako.cluster.controllers.kinds import ENDPOINT_SLICE, ENDPOINTS, POD, SERVICE


@pytest.fixture
def sim() -> Simulation:
    return Simulation([slices.CONTROLLER, objects.CONTROLLER])


def pod(sim: Simulation, name: str, *, ready: bool = True, ports: list[Any] | None = None, **spec: Any) -> None:
    container = {"name": "main", "ports": ports or [{"name": "http", "containerPort": 8080}]}
    metadata = {"name": name, "labels": {"app": "web"}}
    sim.api.add({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container], **spec}})
    run_pod(sim.api, sim.api.find(POD, name), ready=ready)
    sim.settle()


def service(sim: Simulation, **spec: Any) -> None:
    ports = [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]
    wanted = {"selector": {"app": "web"}, "clusterIP": "10.96.0.1", "ipFamilies": ["IPv4"], "ports": ports, **spec}
    metadata = {"name": "web", "labels": {"team": "a"}}
    sim.api.add({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": wanted})
    sim.settle()


def endpoints(sim: Simulation) -> dict[str, dict[str, bool]]:
    return {
        each["targetRef"]["name"]: each["conditions"]
        for slice_ in sim.api.all(ENDPOINT_SLICE)
        for each in slice_["endpoints"]
    }


def subsets(sim: Simulation) -> dict[str, list[str]]:
    (known,) = sim.api.all(ENDPOINTS)
    found: dict[str, list[str]] = {}
    for subset in known["subsets"]:
        for field in ("addresses", "notReadyAddresses"):
            found.setdefault(field, []).extend(each["targetRef"]["name"] for each in subset.get(field, []))
    return found


READY = {"ready": True, "serving": True, "terminating": False}


def test_ready_pods_are_endpoints_with_the_number_that_their_port_s_name_has(sim: Simulation) -> None:
    service(sim)
    pod(sim, "a")
    pod(sim, "b", ready=False)
    (slice_,) = sim.api.all(ENDPOINT_SLICE)
    assert slice_["addressType"] == "IPv4"
    assert slice_["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    assert slice_["metadata"]["generateName"] == "web-"
    assert slice_["metadata"]["labels"] == {
        "team": "a",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    assert slice_["metadata"]["ownerReferences"][0]["kind"] == "Service"
    assert endpoints(sim) == {"a": READY, "b": {"ready": False, "serving": False, "terminating": False}}
    (first, _) = slice_["endpoints"]
    assert first["nodeName"] == "node-1"
    assert first["targetRef"]["kind"] == "Pod"
    assert subsets(sim) == {"addresses": ["a"], "notReadyAddresses": ["b"]}


def test_a_pod_that_ends_serves_on_but_gets_nothing_new(sim: Simulation) -> None:
    service(sim)
    pod(sim, "a")
    sim.api.remove(sim.api.find(POD, "a"))
    sim.settle()
    assert endpoints(sim) == {"a": {"ready": False, "serving": True, "terminating": True}}
    assert subsets(sim) == {}
    sim.api.gone(sim.api.find(POD, "a"))
    sim.settle()
    assert endpoints(sim) == {}


def test_a_finished_pod_is_no_endpoint(sim: Simulation) -> None:
    service(sim)
    pod(sim, "a")
    end_pod(sim.api, sim.api.find(POD, "a"), "Succeeded")
    sim.settle()
    assert endpoints(sim) == {}


def test_publish_not_ready_addresses_makes_all_ready(sim: Simulation) -> None:
    service(sim, publishNotReadyAddresses=True)
    pod(sim, "a", ready=False)
    assert endpoints(sim)["a"]["ready"] is True
    assert subsets(sim)["addresses"] == ["a"]


def test_a_headless_service_names_its_pods(sim: Simulation) -> None:
    service(sim, clusterIP="None")
    pod(sim, "web-0", hostname="web-0", subdomain="web")
    (slice_,) = sim.api.all(ENDPOINT_SLICE)
    assert slice_["endpoints"][0]["hostname"] == "web-0"
    assert slice_["metadata"]["labels"]["service.kubernetes.io/headless"] == ""
    (known,) = sim.api.all(ENDPOINTS)
    assert known["subsets"][0]["addresses"][0]["hostname"] == "web-0"


def test_pods_whose_ports_differ_are_in_slices_of_their_own(sim: Simulation) -> None:
    service(sim)
    pod(sim, "a")
    pod(sim, "b", ports=[{"name": "http", "containerPort": 9090}])
    ports = sorted(each["ports"][0]["port"] for each in sim.api.all(ENDPOINT_SLICE))
    assert ports == [8080, 9090]


def test_without_pods_there_is_one_empty_slice_and_empty_endpoints(sim: Simulation) -> None:
    service(sim)
    (slice_,) = sim.api.all(ENDPOINT_SLICE)
    assert slice_["endpoints"] == []
    assert sim.api.all(ENDPOINTS)[0]["subsets"] == []


def test_more_than_a_hundred_are_in_several_slices_and_a_change_changes_one(sim: Simulation) -> None:
    service(sim)
    for number in range(103):
        pod(sim, f"p-{number:03d}")
    assert sorted(len(each["endpoints"]) for each in sim.api.all(ENDPOINT_SLICE)) == [3, 100]
    before = {each["metadata"]["name"]: each["metadata"]["resourceVersion"] for each in sim.api.all(ENDPOINT_SLICE)}
    sim.api.gone(sim.api.find(POD, "p-005"))
    sim.settle()
    after = {each["metadata"]["name"]: each["metadata"]["resourceVersion"] for each in sim.api.all(ENDPOINT_SLICE)}
    assert sum(before[name] != after[name] for name in before) == 1


def test_a_service_without_a_selector_or_of_an_external_name_is_left_to_others(sim: Simulation) -> None:
    service(sim, selector={})
    assert sim.api.all(ENDPOINT_SLICE) == []
    assert sim.api.all(ENDPOINTS) == []


def test_endpoints_go_with_their_service_but_not_those_of_somebody_else(sim: Simulation) -> None:
    service(sim)
    pod(sim, "a")
    sim.api.add({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "mine"}, "subsets": []})
    sim.api.remove(sim.api.find(SERVICE, "web"))
    sim.settle()
    assert [each["metadata"]["name"] for each in sim.api.all(ENDPOINTS)] == ["mine"]


def test_nothing_is_written_when_nothing_changed(sim: Simulation) -> None:
    service(sim)
    pod(sim, "a")
    before = sim.api.revision
    sim.restart()
    sim.settle()
    assert sim.api.revision == before
