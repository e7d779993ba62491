"""Addresses and ports of services."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest
from tests.unit.cluster.apiserver.conftest import Cluster, Play, named

from jubako.cluster.apiserver.api import SERVICE_NETWORK
from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.types.document import Object, at, mapping, objects

SERVICES = "/api/v1/namespaces/default/services"


def service(name: str, **spec: Any) -> Object:
    return {**named(name), "spec": {"ports": [{"port": 80}], **spec}}


def test_a_service_has_an_address_of_its_own(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        found = {str(at(await cluster.create(SERVICES, service(f"s{n}")), "spec", "clusterIP")) for n in range(20)}
        assert len(found) == 20
        assert all(IPv4Address(each) in SERVICE_NETWORK for each in found)

    play(scene)


def test_an_address_that_is_taken_or_elsewhere_is_refused(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        wanted = str(SERVICE_NETWORK[20])
        await cluster.create(SERVICES, service("a", clusterIP=wanted))
        with pytest.raises(Failure, match="provided IP is already allocated"):
            await cluster.create(SERVICES, service("b", clusterIP=wanted))
        for wrong in ("192.0.2.1", "nonsense"):
            with pytest.raises(Failure, match="is not in the valid range"):
                await cluster.create(SERVICES, service("c", clusterIP=wrong))

    play(scene)


def test_an_address_is_free_again_when_its_service_is_gone(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        wanted = str(SERVICE_NETWORK[20])
        await cluster.create(SERVICES, service("a", clusterIP=wanted))
        await cluster.delete(f"{SERVICES}/a")
        cluster.pass_time(61)
        await cluster.create(SERVICES, service("b", clusterIP=wanted))

    play(scene)


def test_a_headless_service_has_none_and_an_external_name_neither(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        headless = await cluster.create(SERVICES, service("a", clusterIP="None"))
        assert at(headless, "spec", "clusterIPs") == ["None"]
        await cluster.create(SERVICES, service("c", clusterIP="None"))
        external = await cluster.create(SERVICES, service("b", type="ExternalName", externalName="example.org"))
        assert "clusterIP" not in mapping(external["spec"])

    play(scene)


def test_node_ports_are_given_kept_and_taken_away_with_the_type(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        made = await cluster.create(SERVICES, service("a", type="NodePort"))
        (port,) = objects(at(made, "spec", "ports"))
        assert 30000 <= int(str(port["nodePort"])) < 32768

        def plain(old: Object) -> Object:
            return {**old, "spec": {"type": old["spec"]["type"], "selector": {"a": "b"}, "ports": [{"port": 80}]}}  # type: ignore[index,call-overload]

        kept = await cluster.update(f"{SERVICES}/a", plain)
        assert at(kept, "spec", "clusterIP") == at(made, "spec", "clusterIP")
        assert objects(at(kept, "spec", "ports"))[0]["nodePort"] == port["nodePort"]
        taken: Any = [{"port": 80, "nodePort": port["nodePort"]}]
        with pytest.raises(Failure, match="provided port is already allocated"):
            await cluster.create(SERVICES, service("b", type="NodePort", ports=taken))

        def no_longer(old: Object) -> Object:
            mapping(old["spec"])["type"] = "ClusterIP"
            return old

        after = await cluster.update(f"{SERVICES}/a", no_longer)
        assert "nodePort" not in objects(at(after, "spec", "ports"))[0]

    play(scene)


def test_a_service_that_becomes_a_name_elsewhere_loses_its_ports_and_policies(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create(SERVICES, service("a", type="NodePort"))

        def elsewhere(old: Object) -> Object:
            mapping(old["spec"]).update({"type": "ExternalName", "externalName": "example.org"})
            return old

        spec = mapping((await cluster.update(f"{SERVICES}/a", elsewhere))["spec"])
        assert {"clusterIP", "clusterIPs", "externalTrafficPolicy"} & {*spec} == set()
        assert "nodePort" not in objects(spec["ports"])[0]

    play(scene)


def test_a_node_port_outside_the_range_is_refused(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        outside: Any = [{"port": 80, "nodePort": 80}]
        why = r'Service "a" is invalid: .*The range of valid ports is 30000-32767'
        with pytest.raises(Failure, match=why):
            await cluster.create(SERVICES, service("a", type="NodePort", ports=outside))

    play(scene)
