"""Links of a bridge network: the bridge itself, and each container's pair.

A pair's far end is made inside the container's namespace, as `eth0`, and never exists on the host. The bridge is up
only once all about it is done: whoever finds it down (a crash, a boot, another process in the middle) does it again.

Concurrency:  everything here may run in many processes at once; the kernel's own lock is the only one.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Sequence

from jubako.errors import PermissionDenied, Unavailable
from jubako.linux.netlink import route
from jubako.linux.netlink.connection import NETLINK_ROUTE, Connection
from jubako.linux.netlink.route import Link
from jubako.network import address
from jubako.network.address import Subnet
from jubako.network.firewall import NEEDS_ROOT
from jubako.network.record import BRIDGE, Endpoint, Network


def is_up(network: Network) -> bool:
    """Tell whether the network's bridge is there, finished, and has the network's gateway address."""
    with Connection(NETLINK_ROUTE) as connection:
        link = route.find_link(connection, network.bridge)
    return link is not None and link.up and link.mac == _mac(network)


def taken(bridge: str) -> list[Subnet]:
    """Return the subnets that this host has routes to, other than through `bridge`."""
    with Connection(NETLINK_ROUTE) as connection:
        own = route.find_link(connection, bridge)
        found = route.routes(connection)
    index = own.ifindex if own else -1
    return [Subnet(r.destination, r.prefix_length) for r in found if r.prefix_length and r.link_ifindex != index]


def bring_up(network: Network) -> None:
    """Make the bridge with its address, let the host forward, and at last set it up; idempotent.

    A bridge of the same name with another gateway is of an earlier life and makes way.
    """
    prefix_len = Subnet.parse(network.subnet).prefix_len
    with Connection(NETLINK_ROUTE) as connection:
        old = route.find_link(connection, network.bridge)
        if old and old.mac != _mac(network):
            connection.do(route.delete_link(network.bridge))
        connection.do(route.add_bridge(network.bridge, _mac(network)))
        link = route.find_link(connection, network.bridge)
        if link is None:
            raise Unavailable(f"the bridge {network.bridge} vanished while it was made")
        connection.do(route.add_address(link.ifindex, address.parse(network.gateway), prefix_len))
        # 127.0.0.1:PORT of the host is a container's published port: such a packet leaves through the bridge.
        _sysctl(f"net/ipv4/conf/{network.bridge}/route_localnet")
        _sysctl("net/ipv4/ip_forward")
        _without_ipv6(network.bridge)
        connection.do(route.without_ipv6_address(network.bridge), route.set_up(network.bridge))


def lead(network: Network, subnet: Subnet) -> None:
    """Have further addresses lie behind the bridge, which is up: what is for them gets as far as the firewall."""
    with Connection(NETLINK_ROUTE) as connection:
        if link := route.find_link(connection, network.bridge):
            connection.do(route.add_route(link.ifindex, *subnet))


def lead_no_more(network: Network, subnet: Subnet) -> None:
    """Undo lead(); idempotent."""
    with Connection(NETLINK_ROUTE) as connection:
        if link := route.find_link(connection, network.bridge):
            connection.do(route.delete_route(link.ifindex, *subnet))


def remove(names: Sequence[str]) -> None:
    """Remove links, bridges or pairs; those that are gone are no error."""
    with Connection(NETLINK_ROUTE) as connection:
        connection.do(*(route.delete_link(name) for name in names))


def links(*prefixes: str) -> list[Link]:
    """Return the links whose names begin with one of `prefixes`."""
    with Connection(NETLINK_ROUTE) as connection:
        return [link for link in route.links(connection) if link.name.startswith(prefixes)]


def plug(endpoint: Endpoint, bridge: str, netns_fd: int, *, routed: bool) -> bool:
    """Connect a container; False when the bridge is not there. `routed` gives it a default route."""
    with Connection(NETLINK_ROUTE) as connection:
        link = route.find_link(connection, bridge)
        if link is None:
            return False
        mac = address.pack_mac(endpoint.mac)
        connection.do(
            route.add_veth(endpoint.link, link.ifindex, endpoint.interface, mac, netns_fd),
            route.configure_port(endpoint.link),
            route.set_up(endpoint.link),
        )
    _configure(endpoint, netns_fd, routed)
    return True


def unplug(endpoints: Sequence[Endpoint]) -> None:
    """Silence containers' links. Their namespaces take them along when they end, and waiting for that costs 15 ms."""
    with Connection(NETLINK_ROUTE) as connection:
        connection.do(*(route.set_down(endpoint.link) for endpoint in endpoints if endpoint.driver == BRIDGE))


def loopback_up(netns_fd: int) -> None:
    """Bring up `lo`, all that a container without a network has."""
    with Connection(NETLINK_ROUTE, netns_fd) as connection:
        connection.do(route.set_loopback_up())


def _configure(endpoint: Endpoint, netns_fd: int, routed: bool) -> None:
    with Connection(NETLINK_ROUTE, netns_fd) as connection:
        link = route.find_link(connection, endpoint.interface)
        if link is None:
            raise Unavailable(f"{endpoint.interface} vanished while it was configured")
        requests = [
            route.set_loopback_up(),
            route.without_ipv6_address(endpoint.interface),
            route.set_up(endpoint.interface),
            route.add_address(link.ifindex, address.parse(endpoint.ip), endpoint.prefix_len),
        ]
        if routed:
            requests.append(route.add_default_route(link.ifindex, address.parse(endpoint.gateway)))
        connection.do(*requests)


def explained(error: OSError, doing: str) -> PermissionDenied | Unavailable:
    """What an error of the kernel means to the user."""
    message = f"cannot {doing}: {error.filename or 'network'}: {error.strerror}"
    if error.errno in (errno.EPERM, errno.EACCES):
        return PermissionDenied(message, hint=NEEDS_ROOT)
    return Unavailable(message)


def _mac(network: Network) -> bytes:
    """The bridge's MAC address, which follows from its IP address: fixed, and telling to which gateway it belongs."""
    return address.pack_mac(address.mac_of(address.parse(network.gateway)))


def _without_ipv6(bridge: str) -> None:
    """Having no address does not keep the host from listening: it would take a default route from a container's router
    advertisement (CVE-2020-13401)."""
    with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
        _sysctl(f"net/ipv6/conf/{bridge}/disable_ipv6")


def _sysctl(name: str) -> None:
    path = f"/proc/sys/{name}"
    with open(path, encoding="ascii") as stream:
        if stream.read().strip() == "1":
            return
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, b"1\n")
    finally:
        os.close(fd)
