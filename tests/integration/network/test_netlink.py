"""Our netlink against the kernel, with `ip` and `nft` as witnesses."""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading

import pytest

from jubako.linux.netlink import nftables, route
from jubako.linux.netlink.connection import NETLINK_NETFILTER, NETLINK_ROUTE, Connection
from jubako.linux.netlink.nftables import Element
from jubako.linux.netns import inside

from .world import HOST, World

pytestmark = pytest.mark.root

MAP = "add table ip t; add map ip t m { type inet_proto . inet_service : ipv4_addr . inet_service; }"


def element(port: int, ip: str, target: int) -> Element:
    key = bytes((socket.IPPROTO_TCP, 0, 0, 0)) + struct.pack("!Hxx", port)
    return Element("m", key, socket.inet_aton(ip) + struct.pack("!Hxx", target))


def netns_of_this_thread() -> str:
    return os.readlink("/proc/thread-self/ns/net")


def test_a_failure_names_the_request_and_repeats_the_kernels_words(world: World) -> None:
    with Connection(NETLINK_ROUTE) as connection:
        with pytest.raises(OSError, match=r"set nowhere up") as raised:
            connection.do(route.set_up("nowhere"))
        assert raised.value.errno == 19
        with pytest.raises(OSError, match=r"Nexthop has invalid gateway.*add default route"):
            connection.do(route.add_default_route(1, 0x0A000001))


def test_one_failing_request_does_not_stop_the_others(world: World) -> None:
    with Connection(NETLINK_ROUTE) as connection:
        answers = connection.exchange([route.set_up("nowhere"), route.add_bridge("br9", b"\2\x42\0\0\0\1")])
        assert [answer.errno for answer in answers] == [19, 0]
        link = route.find_link(connection, "br9")
        assert link
        assert (link.mac, link.up) == (b"\2\x42\0\0\0\1", False)
        connection.do(route.add_bridge("br9", b"\2\x42\0\0\0\1"), route.delete_link("br9"), route.delete_link("br9"))
        assert route.find_link(connection, "br9") is None


def test_threads_that_share_a_connection_each_get_their_own_answers(world: World) -> None:
    world.host.run(f"nft '{MAP}'")
    wrong: list[object] = []

    def ask(connection: Connection, table: str, there: bool) -> None:
        try:
            wrong.extend(table for _ in range(500) if nftables.table_exists(connection, table) is not there)
        except OSError as error:
            wrong.append(error)

    interval = sys.getswitchinterval()
    with Connection(NETLINK_NETFILTER) as connection:
        asked = [(connection, "t", True), (connection, "nowhere", False)] * 3
        threads = [threading.Thread(target=ask, args=each, daemon=True) for each in asked]
        try:
            sys.setswitchinterval(1e-6)
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
        finally:
            sys.setswitchinterval(interval)
        assert not [thread for thread in threads if thread.is_alive()], "one waits for an answer that another took"
        assert not wrong


def test_links_and_routes_are_what_ip_shows(world: World) -> None:
    with Connection(NETLINK_ROUTE) as connection:
        assert {link.name for link in route.links(connection)} == {"lo", "up0"}
        subnet = struct.unpack("!I", socket.inet_aton(HOST))[0] & 0xFFFFFF00
        assert (subnet, 24) in {(r.destination, r.prefix_length) for r in route.routes(connection)}


def test_elements_are_what_nft_shows(world: World) -> None:
    world.host.run(f"nft '{MAP}'")
    with Connection(NETLINK_NETFILTER) as connection:
        assert nftables.table_exists(connection, "t")
        assert not nftables.table_exists(connection, "u")
        nftables.add_elements(connection, "t", [element(80, "10.0.0.1", 8080), element(81, "10.0.0.1", 8081)])
        shown = world.host.run("nft list map ip t m")
        assert "tcp . 80 : 10.0.0.1 . 8080" in shown
        assert "tcp . 81 : 10.0.0.1 . 8081" in shown
        nftables.add_elements(connection, "t", [element(80, "10.0.0.2", 1), element(82, "10.0.0.2", 2)])
        assert "tcp . 80 : 10.0.0.2 . 1" in world.host.run("nft list map ip t m")
        assert element(81, "10.0.0.1", 8081) in nftables.elements_of(connection, "t", "m")
        nftables.delete_elements(connection, "t", [element(port, "0.0.0.0", 0) for port in (79, 80, 82, 83)])
        assert nftables.elements_of(connection, "t", "m") == [element(81, "10.0.0.1", 8081)]


def test_a_thousand_elements_fit_and_go(world: World) -> None:
    world.host.run(f"nft '{MAP}'")
    many = [element(port, "10.0.0.1", port) for port in range(1, 1001)]
    with Connection(NETLINK_NETFILTER) as connection:
        nftables.add_elements(connection, "t", many)
        assert sorted(nftables.elements_of(connection, "t", "m")) == sorted(many)
        nftables.delete_elements(connection, "t", many)
        assert nftables.elements_of(connection, "t", "m") == []


def test_what_has_no_table_is_no_harm_to_remove(world: World) -> None:
    with Connection(NETLINK_NETFILTER) as connection:
        nftables.delete_elements(connection, "gone", [element(80, "10.0.0.1", 80)])
        nftables.delete_table(connection, "gone")
        assert nftables.elements_of(connection, "gone", "m") == []
        with pytest.raises(FileNotFoundError):
            nftables.add_elements(connection, "gone", [element(80, "10.0.0.1", 80)])


def test_a_thread_comes_home_from_another_namespace_whatever_happens(world: World) -> None:
    home = netns_of_this_thread()
    with inside(world.outside.fd):
        assert netns_of_this_thread() != home
    with pytest.raises(ZeroDivisionError), inside(world.outside.fd):
        raise ZeroDivisionError
    assert netns_of_this_thread() == home
    with open("/proc/self/ns/uts") as other, pytest.raises(OSError, match="network namespace"), inside(other.fileno()):
        pass
    assert netns_of_this_thread() == home
