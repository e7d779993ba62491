"""Services and endpoints as what there is to forward."""

from __future__ import annotations

from typing import Any

import pytest

from jubako.cluster.objects import Object
from jubako.cluster.proxy.ports import Port, Target, ports


def service(name: str, address: str, *of: Object, **spec: Any) -> Object:
    return {"metadata": {"name": name, "namespace": "n"}, "spec": {"clusterIP": address, "ports": list(of), **spec}}


def slice_(name: str, port: Object, *endpoints: Object) -> Object:
    metadata: Object = {"namespace": "n", "labels": {"kubernetes.io/service-name": name}}
    return {"metadata": metadata, "ports": [port], "endpoints": list(endpoints)}


def endpoint(address: str, **conditions: Any) -> Object:
    return {"addresses": [address], "conditions": conditions}


WEB: Object = {"name": "web", "port": 80, "protocol": "TCP", "nodePort": 30080}
TARGET: Object = {"name": "web", "port": 8080}


def led(*endpoints: Object) -> Port:
    (found,) = ports([service("s", "10.96.0.9", WEB)], [slice_("s", TARGET, *endpoints)], {})
    return found


def targets(*endpoints: Object) -> tuple[Target, ...]:
    return led(*endpoints).targets


def test_a_port_leads_to_the_ready_endpoints_of_that_name() -> None:
    slices = [
        slice_("s", TARGET, endpoint("10.0.0.2", ready=True), endpoint("10.0.0.3", ready=False)),
        slice_("s", {"name": "other", "port": 1}, endpoint("10.0.0.4")),
        slice_("s", TARGET, endpoint("10.0.0.5")),
        slice_("t", TARGET, endpoint("10.0.0.6")),
    ]
    (found,) = ports([service("s", "10.96.0.9", WEB)], slices, {})
    assert found == Port(
        name="n/s/tcp/80",
        protocol="tcp",
        number=80,
        addresses=("10.96.0.9",),
        node_port=30080,
        targets=(Target("10.0.0.2", 8080), Target("10.0.0.5", 8080)),
    )


def test_where_nobody_is_ready_those_that_still_serve_while_they_end_are_asked() -> None:
    ending = endpoint("10.0.0.2", ready=False, serving=True, terminating=True)
    lost = endpoint("10.0.0.3", ready=False, serving=False, terminating=True)
    unready = endpoint("10.0.0.4", ready=False, serving=True, terminating=False)
    assert targets(ending, lost, unready) == (Target("10.0.0.2", 8080),)
    assert targets(ending, endpoint("10.0.0.5", ready=True)) == (Target("10.0.0.5", 8080),)
    assert targets(lost) == ()
    assert [led(ending).ending, led(lost).ending, led(ending, endpoint("10.0.0.5")).ending] == [True, False, False]


def test_headless_services_and_what_is_no_address_come_into_no_rule() -> None:
    evil = slice_("s", TARGET, endpoint("10.0.0.2; flush ruleset"))
    services = [
        service("a", "None", WEB),
        service("b", "", WEB),
        service("s", "10.96.0.9", WEB, externalIPs=["1.2.3.4 }", "192.0.2.7"]),
    ]
    found = ports(services, [evil], {})
    assert [(port.addresses, port.targets) for port in found] == [(("10.96.0.9", "192.0.2.7"), ())]


def test_a_client_stays_as_long_as_the_service_says() -> None:
    stays = service("a", "10.96.0.2", WEB, sessionAffinity="ClientIP")
    config = {"clientIP": {"timeoutSeconds": 60}}
    briefly = service("b", "10.96.0.3", WEB, sessionAffinity="ClientIP", sessionAffinityConfig=config)
    found = ports([stays, briefly, service("c", "10.96.0.4", WEB)], [], {})
    assert [port.affinity_s for port in found] == [10800, 60, 0]


def test_a_listener_of_this_machine_is_led_to_where_it_is() -> None:
    own = {Target("10.0.0.1", 6443): Target("127.0.0.1", 6443)}
    told = slice_("s", {"name": "web", "port": 6443}, endpoint("10.0.0.1"))
    found = {port.name: port for port in ports([service("s", "10.96.0.1", WEB)], [told], own)}
    assert found["n/s/tcp/80"].targets == (Target("127.0.0.1", 6443),)
    assert found["own/10.0.0.1/udp/6443"].addresses == ("10.0.0.1",)
    assert found["own/10.0.0.1/tcp/6443"].targets == (Target("127.0.0.1", 6443),)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "0.0.0.0", "169.254.169.254", "224.0.0.1"])
def test_no_service_leads_to_what_is_the_machines_alone(address: str) -> None:
    assert targets(endpoint(address, ready=True)) == ()
    (found,) = ports([service("s", "10.96.0.9", WEB, externalIPs=[address])], [], {})
    assert found.addresses == ("10.96.0.9",)
