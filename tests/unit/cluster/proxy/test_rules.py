"""Services and endpoints as rules."""

from __future__ import annotations

from typing import Any

from jubako.cluster.proxy.rules import Port, ports, ruleset
from jubako.cluster.types.document import Object


def service(name: str, address: str, *of: Object) -> Object:
    return {"metadata": {"name": name, "namespace": "n"}, "spec": {"clusterIP": address, "ports": list(of)}}


def slice_(name: str, port: Object, *endpoints: Object) -> Object:
    metadata: Object = {"namespace": "n", "labels": {"kubernetes.io/service-name": name}}
    return {"metadata": metadata, "ports": [port], "endpoints": list(endpoints)}


def endpoint(address: str, **conditions: Any) -> Object:
    return {"addresses": [address], "conditions": conditions}


WEB: Object = {"name": "web", "port": 80, "protocol": "TCP", "nodePort": 30080}
TARGET: Object = {"name": "web", "port": 8080}


def test_a_port_leads_to_the_ready_endpoints_of_that_name() -> None:
    slices = [
        slice_("s", TARGET, endpoint("10.0.0.2", ready=True), endpoint("10.0.0.3", ready=False)),
        slice_("s", {"name": "other", "port": 1}, endpoint("10.0.0.4")),
        slice_("s", TARGET, endpoint("10.0.0.5")),
        slice_("t", TARGET, endpoint("10.0.0.6")),
    ]
    (found,) = ports([service("s", "10.96.0.9", WEB)], slices)
    targets = (("10.0.0.2", 8080), ("10.0.0.5", 8080))
    assert found == Port(address="10.96.0.9", protocol="tcp", number=80, node_port=30080, targets=targets)


def test_headless_services_and_what_is_no_address_come_into_no_rule() -> None:
    evil = slice_("s", TARGET, endpoint("10.0.0.2; flush ruleset"))
    found = ports([service("a", "None", WEB), service("b", "", WEB), service("s", "10.96.0.9", WEB)], [evil])
    assert [(port.address, port.targets) for port in found] == [("10.96.0.9", ())]


def test_the_table_is_replaced_whole() -> None:
    one = Port(address="10.96.0.9", protocol="tcp", number=80, targets=(("10.0.0.2", 8080),))
    two = Port(
        address="10.96.0.10", protocol="udp", number=53, node_port=30053, targets=(("10.0.0.2", 1), ("10.0.0.3", 1))
    )
    none = Port(address="10.96.0.11", protocol="tcp", number=80)
    text = ruleset("t", [one, two, none])
    assert text.startswith("add table ip t\ndelete table ip t\ntable ip t {\n")
    for part in (
        "10.96.0.9 . tcp . 80 : goto port_0",
        "tcp dport { 80, 80 } dnat ip to 10.0.0.2:8080",
        "udp . 30053 : goto port_1",
        "udp dport { 53, 30053 } dnat ip to numgen random mod 2 map { 0 : 10.0.0.2 . 1, 1 : 10.0.0.3 . 1 }",
        "elements = { 10.96.0.11 . tcp . 80 };",
    ):
        assert part in text
