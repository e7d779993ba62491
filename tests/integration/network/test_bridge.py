"""Containers on bridge networks: what they have, whom they reach, and what stays when they go."""

from __future__ import annotations

from pathlib import Path

import pytest

from jubako.errors import AlreadyExists, Conflict, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from jubako.network import Networks
from jubako.store import Store

from .conftest import Start
from .world import HOST, OUTSIDE, World

pytestmark = pytest.mark.root


def test_a_container_has_an_address_a_route_a_loopback_and_dockers_mac(
    world: World, networks: Networks, start: Start
) -> None:
    web = start("web")
    bridge = networks.get("bridge").bridge
    endpoint = web.endpoint
    shown = web.run("ip addr")
    assert f"inet {endpoint.ip}/{endpoint.prefix_len}" in shown
    assert f"link/ether {endpoint.mac}" in shown
    assert endpoint.mac.startswith("02:42:")
    assert "inet 127.0.0.1/8" in shown
    assert "fe80" not in shown + world.host.run("ip addr show type bridge; ip addr show type veth master " + bridge)
    assert f"default via {endpoint.gateway} dev eth0" in web.run("ip route")


def test_containers_of_a_network_reach_each_other_and_the_host(world: World, start: Start) -> None:
    one, two = start("one"), start("two")
    with two.listen(80) as server:
        assert one.reach(two.ip, 80, server) == one.ip
    with world.host.listen(90) as server:
        assert one.reach(one.endpoint.gateway, 90, server) == one.ip
    with two.listen(80) as server:
        assert world.host.reach(two.ip, 80, server) == two.endpoint.gateway


def test_a_container_reaches_the_outside_under_the_hosts_address(world: World, start: Start) -> None:
    web = start("web")
    with world.outside.listen(80) as server:
        assert web.reach(OUTSIDE, 80, server) == HOST


def test_the_outside_reaches_no_port_that_is_not_published(world: World, start: Start) -> None:
    web = start("web", "8080:80")
    world.outside.run(f"ip route add {web.endpoint.gateway}/32 via {HOST}; ip route add 10.0.0.0/8 via {HOST}")
    with web.listen(80), web.listen(81):
        assert world.outside.is_refused(web.ip, 80)
        assert world.outside.is_refused(web.ip, 81)


def test_networks_are_isolated_from_each_other(networks: Networks, start: Start) -> None:
    networks.create("blue")
    networks.create("green")
    blue, green, other = start("b", network="blue"), start("g", network="green"), start("d")
    with green.listen(80), other.listen(80):
        assert blue.is_refused(green.ip, 80)
        assert blue.is_refused(other.ip, 80)


def test_engines_are_isolated_from_each_other(world: World, start: Start, tmp_path: Path) -> None:
    one = start("one")
    with Store.open(tmp_path / "other") as store:
        others = Networks(store, tmp_path / "other-run")
        container = world.container()
        endpoint = others.reserve("x", "x", network="bridge")
        assert others.attach(endpoint, container.fd) == []
        assert endpoint.ip.rpartition(".")[0] != one.ip.rpartition(".")[0]
        with container.listen(80):
            assert one.is_refused(endpoint.ip, 80)
        others.detach("x")
        assert others.teardown()
        others.close()
    with world.outside.listen(80) as server:
        assert one.reach(OUTSIDE, 80, server) == HOST


def test_an_internal_network_reaches_only_itself(world: World, networks: Networks, start: Start) -> None:
    networks.create("inner", internal=True)
    one, two, other = start("one", network="inner"), start("two", network="inner"), start("other")
    with two.listen(80) as server:
        assert one.reach(two.ip, 80, server) == one.ip
    assert "default" not in one.run("ip route")
    one.run(f"ip route add default via {one.endpoint.gateway}")
    with world.outside.listen(80), other.listen(80):
        assert one.is_refused(OUTSIDE, 80)
        assert one.is_refused(other.ip, 80)


def test_an_internal_network_publishes_nothing(networks: Networks, start: Start) -> None:
    networks.create("inner", internal=True)
    assert start("one", "8080:80", network="inner").endpoint.ports == []


def test_address_and_mac_of_the_users_choice(networks: Networks, start: Start) -> None:
    networks.create("mine", subnet="10.99.7.0/24", gateway="10.99.7.254")
    web = start("web", network="mine", ip="10.99.7.77", mac="02:00:00:00:00:01")
    assert "inet 10.99.7.77/24" in web.run("ip addr")
    assert "link/ether 02:00:00:00:00:01" in web.run("ip addr")
    assert "default via 10.99.7.254" in web.run("ip route")
    with pytest.raises(AlreadyExists, match="Address already in use"):
        start("again", network="mine", ip="10.99.7.77")
    with pytest.raises(InvalidArgument, match="invalid MAC address"):
        start("again", network="mine", mac="nonsense")


def test_peers_are_the_names_of_a_network(networks: Networks, start: Start) -> None:
    networks.create("blue")
    one = start("one", network="blue", aliases=["db", "one"])
    two = start("two", network="blue")
    start("elsewhere")
    assert networks.peers("blue") == [(["one", "db"], one.ip), (["two"], two.ip)]


def test_a_detached_containers_address_goes_silent_at_once(world: World, networks: Networks, start: Start) -> None:
    web = start("web")
    networks.detach("id-web")
    with web.listen(80):
        assert world.host.is_refused(web.ip, 80)
    assert networks.endpoint("id-web") is None
    networks.detach("id-web")


def test_none_brings_up_the_loopback_and_host_does_nothing(world: World, networks: Networks) -> None:
    container = world.container()
    assert networks.attach(networks.reserve("n", "n", network="none"), container.fd) == []
    assert "LOOPBACK,UP" in container.run("ip link")
    assert networks.attach(networks.reserve("h", "h", network="host"), container.fd) == []
    assert world.links() == []
    assert networks.endpoint("n") is None


def test_nothing_exists_before_the_first_endpoint_or_after_teardown(
    world: World, networks: Networks, start: Start
) -> None:
    networks.create("blue")
    networks.list()
    assert world.links() == []
    assert world.ruleset() == ""
    one, two = start("one", "8080:80"), start("two", network="blue")
    assert not networks.teardown()
    for container in (one, two):
        networks.detach(container.endpoint.container_id)
        world.end(container)
    assert networks.teardown()
    assert world.settled_links() == []
    assert world.ruleset() == ""
    assert networks.teardown()


def test_a_removed_network_takes_its_bridge_and_its_rules_along(world: World, networks: Networks, start: Start) -> None:
    network = networks.create("blue", labels={"a": "b"})
    assert networks.get("blue") == networks.get(network.id) == networks.get(network.id[:12]) == network
    web = start("web", network="blue")
    assert network.bridge in world.links()
    with pytest.raises(FailedPrecondition, match=f"network blue id {network.id} has active endpoints"):
        networks.remove("blue")
    networks.detach("id-web")
    world.end(web)
    networks.remove(network.id[:12])
    assert world.settled_links() == []
    assert network.bridge not in world.ruleset()
    with pytest.raises(NotFound, match="network blue not found"):
        networks.get("blue")


def test_prune_removes_what_nobody_uses(networks: Networks, start: Start) -> None:
    for name in ("used", "wanted", "idle"):
        networks.create(name)
    start("web", network="used")
    assert [network.name for network in networks.prune(in_use={"wanted"})] == ["idle"]
    assert [network.name for network in networks.list()] == ["bridge", "host", "none", "used", "wanted"]


def test_names_and_subnets_that_clash_are_refused_in_dockers_words(networks: Networks) -> None:
    networks.create("blue", subnet="10.99.7.0/24")
    with pytest.raises(AlreadyExists, match="network with name blue already exists"):
        networks.create("blue")
    with pytest.raises(Conflict, match="Pool overlaps with other one on this address space"):
        networks.create("green", subnet="10.99.0.0/16")
    for name in ("bridge", "host", "none"):
        with pytest.raises(PermissionDenied, match="predefined"):
            networks.create(name)
        with pytest.raises(PermissionDenied, match="pre-defined network and cannot be removed"):
            networks.remove(name)
    for bad in ("", "-x", "a b", "a/b", "x\n"):
        with pytest.raises(InvalidArgument):
            networks.create(bad)
    with pytest.raises(InvalidArgument, match="no matching subnet for gateway"):
        networks.create("green", subnet="10.98.7.0/24", gateway="10.97.0.1")
    with pytest.raises(InvalidArgument, match="plugin not found"):
        networks.create("green", driver="macvlan")


def test_a_chosen_subnet_moves_when_the_host_has_come_to_use_it(world: World, networks: Networks, start: Start) -> None:
    planned = networks.create("blue").subnet
    world.host.run(f"ip route add {planned} via {OUTSIDE}")
    web = start("web", network="blue")
    assert networks.get("blue").subnet != planned
    with world.host.listen(90) as server:
        assert web.reach(web.endpoint.gateway, 90, server) == web.ip


def test_bridge_and_rules_come_back_after_somebody_removed_them(world: World, networks: Networks, start: Start) -> None:
    old = start("old", "8080:80")
    world.host.run(f"nft flush ruleset; ip link del {networks.get('bridge').bridge}")
    new = start("new")
    with world.outside.listen(80) as server:
        assert new.reach(OUTSIDE, 80, server) == HOST
    assert f"{old.ip} . 80" in world.ruleset()


def test_a_second_life_of_a_state_directory_takes_over_the_bridge(
    world: World, networks: Networks, start: Start
) -> None:
    networks.create("blue", subnet="10.99.7.0/24")
    network = networks.get("blue")
    world.host.run(f"ip link add {network.bridge} type bridge; ip addr add 10.1.1.1/24 dev {network.bridge}")
    world.host.run(f"ip link set {network.bridge} up")
    start("web", network="blue")
    assert "10.99.7.1/24" in world.host.run(f"ip addr show {network.bridge}")
    assert "10.1.1.1/24" not in world.host.run(f"ip addr show {network.bridge}")
