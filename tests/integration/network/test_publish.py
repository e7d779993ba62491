"""Published ports: who reaches them, from which address, and what happens when a port is taken."""

from __future__ import annotations

import os
import socket

import pytest

from jubako.errors import AlreadyExists, Conflict, InvalidArgument
from jubako.network import Networks

from .conftest import Start
from .world import HOST, OUTSIDE, World

pytestmark = pytest.mark.root


def test_the_outside_reaches_a_published_port_and_keeps_its_address(world: World, start: Start) -> None:
    web = start("web", "8080:80")
    with web.listen(80) as server:
        assert world.outside.reach(HOST, 8080, server) == OUTSIDE


def test_the_host_reaches_it_by_loopback_and_by_its_own_address(world: World, start: Start) -> None:
    web = start("web", "8080:80")
    with web.listen(80) as server:
        assert world.host.reach("127.0.0.1", 8080, server) == web.endpoint.gateway
        assert world.host.reach(HOST, 8080, server) in (HOST, web.endpoint.gateway)
        assert world.host.reach(web.endpoint.gateway, 8080, server) == web.endpoint.gateway


@pytest.mark.parametrize("bridge_netfilter", [0, 1])
def test_containers_reach_it_through_the_host_themselves_neighbours_and_strangers(
    world: World, networks: Networks, start: Start, bridge_netfilter: int
) -> None:
    world.host.run(f"sysctl -qw net.bridge.bridge-nf-call-iptables={bridge_netfilter}", check=False)
    networks.create("blue")
    web, neighbour, stranger = start("web", "8080:80"), start("neighbour"), start("stranger", network="blue")
    with web.listen(80) as server:
        for client in (web, neighbour, stranger):
            assert client.reach(HOST, 8080, server) == web.endpoint.gateway


def test_udp_goes_both_ways_with_the_clients_address(world: World, start: Start) -> None:
    dns = start("dns", "5353:53/udp")
    with dns.socket(socket.SOCK_DGRAM) as server, world.outside.socket(socket.SOCK_DGRAM) as client:
        server.bind(("0.0.0.0", 53))
        client.connect((HOST, 5353))
        client.send(b"?")
        data, source = server.recvfrom(10)
        assert (data, source[0]) == (b"?", OUTSIDE)
        server.sendto(b"!", source)
        assert client.recv(10) == b"!"
    with dns.socket(socket.SOCK_DGRAM) as server, world.host.socket(socket.SOCK_DGRAM) as client:
        server.bind(("0.0.0.0", 53))
        client.connect(("127.0.0.1", 5353))
        client.send(b"?")
        server.sendto(b"!", server.recvfrom(10)[1])
        assert client.recv(10) == b"!"


def test_a_udp_client_that_never_stops_sending_reaches_the_next_container(
    world: World, networks: Networks, start: Start
) -> None:
    with world.outside.socket(socket.SOCK_DGRAM) as client:
        client.bind((OUTSIDE, 40000))
        client.sendto(b"too early", (HOST, 5353))
        for name in ("one", "two"):
            dns = start(name, "5353:53/udp")
            with dns.socket(socket.SOCK_DGRAM) as server:
                server.bind(("0.0.0.0", 53))
                client.sendto(b"?", (HOST, 5353))
                assert server.recvfrom(10)[1] == (OUTSIDE, 40000)
            networks.detach(f"id-{name}")
            for fd in dns.held:
                os.close(fd)
            dns.held.clear()


def test_a_port_on_loopback_is_not_for_the_outside(world: World, start: Start) -> None:
    web = start("web", "127.0.0.1:8080:80")
    with web.listen(80) as server:
        assert world.host.reach("127.0.0.1", 8080, server) == web.endpoint.gateway
        assert world.outside.is_refused(HOST, 8080)
        # A neighbour in the host's own network segment may send anything, also to 127.0.0.1 (moby#45610).
        world.outside.run("ip addr del 127.0.0.1/8 dev lo; sysctl -qw net.ipv4.conf.all.route_localnet=1")
        world.outside.run(f"ip route add 127.0.0.1/32 via {HOST}")
        assert world.outside.is_refused("127.0.0.1", 8080)


def test_a_port_on_one_address_is_not_on_others(world: World, start: Start) -> None:
    web = start("web", f"{HOST}:8080:80")
    with web.listen(80) as server:
        assert world.outside.reach(HOST, 8080, server) == OUTSIDE
        assert world.host.is_refused("127.0.0.1", 8080)


def test_cve_2020_8558_a_container_does_not_reach_the_hosts_loopback(world: World, start: Start) -> None:
    web = start("web")
    web.run("ip addr del 127.0.0.1/8 dev lo; sysctl -qw net.ipv4.conf.all.route_localnet=1")
    web.run(f"ip route add 127.0.0.1/32 via {web.endpoint.gateway} src {web.ip}")
    with world.host.listen(90, "127.0.0.1"):
        assert web.is_refused("127.0.0.1", 90)


def test_two_containers_can_not_have_one_port(start: Start) -> None:
    start("one", "8080:80")
    with pytest.raises(AlreadyExists) as raised:
        start("two", "8080:80")
    assert raised.value.message.startswith("driver failed programming external connectivity on endpoint two (")
    assert raised.value.message.endswith("): Bind for 0.0.0.0:8080 failed: port is already allocated")
    assert raised.value.holder == "id-one"


def test_a_refused_reservation_leaves_nothing(networks: Networks, start: Start) -> None:
    start("one", "8080:80")
    with pytest.raises(AlreadyExists):
        start("two", "9090:90", "8080:80")
    assert networks.endpoint("id-two") is None
    start("three", "9090:90")


def test_a_port_of_a_host_process_is_refused_and_works_later(world: World, networks: Networks, start: Start) -> None:
    with world.host.listen(8080, "127.0.0.1"):
        with pytest.raises(Conflict) as raised:
            start("web", "8080:80")
        assert "failed to bind host port for 0.0.0.0:8080:" in raised.value.message
        assert raised.value.message.endswith(":80/tcp: address already in use")
        networks.detach("id-web")
    assert networks.endpoint("id-web") is None
    start("web", "8080:80")


def test_a_host_process_can_not_take_a_published_port(world: World, start: Start) -> None:
    start("web", "8080:80", "5353:53/udp")
    with pytest.raises(OSError, match="Address already in use"):
        world.host.listen(8080)
    with world.host.socket(socket.SOCK_DGRAM) as other, pytest.raises(OSError, match="Address already in use"):
        other.bind(("0.0.0.0", 5353))


def test_a_port_with_connections_in_time_wait_can_be_published(world: World, start: Start) -> None:
    with world.host.listen(8080) as server, world.host.socket() as client:
        client.connect(("127.0.0.1", 8080))
        server.accept()[0].close()
        assert client.recv(1) == b""
    web = start("web", "8080:80")
    with web.listen(80) as server:
        assert world.outside.reach(HOST, 8080, server) == OUTSIDE


def test_an_address_that_the_host_lacks_is_refused(start: Start) -> None:
    with pytest.raises(InvalidArgument, match="cannot assign requested address"):
        start("web", "198.51.100.1:8080:80")
    with pytest.raises(InvalidArgument, match="cannot assign requested address"):
        start("web2", "198.51.100.1::80")


def test_a_port_of_our_choosing_is_free_and_recorded(world: World, networks: Networks, start: Start) -> None:
    web = start("web", "80", "127.0.0.1::81")
    first, second = (binding.host_port for binding in web.endpoint.ports)
    assert 32768 <= first != second >= 32768
    with web.listen(80) as server:
        assert world.outside.reach(HOST, first, server) == OUTSIDE
    with web.listen(81) as server:
        world.host.reach("127.0.0.1", second, server)


def test_a_port_of_our_choosing_that_is_taken_meanwhile_is_replaced(world: World, networks: Networks) -> None:
    from jubako.network import publish

    container = world.container()
    endpoint = networks.reserve("c", "c", network="bridge", ports=publish.parse("80"))
    lost = endpoint.ports[0].host_port
    with world.host.listen(lost), container.listen(80) as server:
        held = networks.attach(endpoint, container.fd)
        now = networks.endpoint("c")
        assert now
        assert now.ports[0].host_port != lost
        assert world.outside.reach(HOST, now.ports[0].host_port, server) == OUTSIDE
        for fd in held:
            os.close(fd)


def test_a_large_range_is_published_and_withdrawn(world: World, networks: Networks, start: Start) -> None:
    web = start("web", "20000-20299:10000-10299")
    with web.listen(10299) as server:
        assert world.outside.reach(HOST, 20299, server) == OUTSIDE
    networks.detach("id-web")
    assert " . 20" not in world.ruleset()


def test_a_withdrawn_port_is_free_for_the_host(world: World, networks: Networks, start: Start) -> None:
    web = start("web", "8080:80")
    networks.detach("id-web")
    for fd in web.held:
        os.close(fd)
    web.held.clear()
    with world.host.listen(8080) as server:
        assert world.outside.reach(HOST, 8080, server) == OUTSIDE
