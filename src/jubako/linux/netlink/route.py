"""Links, addresses and routes: requests to build, answers to read.

Addresses are IPv4, as the 32-bit number that socket.inet_aton gives in network order. Every function that returns a
Message leaves the sending to the caller, so that one datagram can carry a whole container's setup.

Spec: rtnetlink(7), include/uapi/linux/{rtnetlink,if_link,if_addr,veth}.h.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys
from typing import NamedTuple

from jubako.linux.netlink import wire
from jubako.linux.netlink.connection import Connection
from jubako.linux.netlink.wire import Message, Received

_RTM_NEWLINK, _RTM_DELLINK, _RTM_GETLINK = 16, 17, 18
_RTM_NEWADDR = 20
_RTM_NEWROUTE, _RTM_DELROUTE, _RTM_GETROUTE = 24, 25, 26

_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")

IFF_UP = 0x1
LOOPBACK_INDEX = 1
_SIOCGIFFLAGS, _SIOCGIFHWADDR, _SIOCGIFINDEX = 0x8913, 0x8927, 0x8933

_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MASTER, _IFLA_LINKINFO = 1, 3, 10, 18
_IFLA_NET_NS_FD, _IFLA_AF_SPEC, _IFLA_EXT_MASK, _IFLA_NUM_TX_QUEUES, _IFLA_NUM_RX_QUEUES = 28, 26, 29, 31, 32
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _IFLA_INFO_SLAVE_KIND, _IFLA_INFO_SLAVE_DATA = 1, 2, 4, 5
_IFLA_BRPORT_MODE = 4
_VETH_INFO_PEER = 1
_IFLA_BR_MCAST_SNOOPING = 23
_IFLA_INET6_ADDR_GEN_MODE, _ADDR_GEN_MODE_NONE = 8, 1
_WITHOUT_IPV6 = wire.nested(
    _IFLA_AF_SPEC, wire.nested(socket.AF_INET6, wire.u8(_IFLA_INET6_ADDR_GEN_MODE, _ADDR_GEN_MODE_NONE))
)
_RTEXT_FILTER_SKIP_STATS = 8
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST = 1, 2, 4
_RTA_DST, _RTA_OIF, _RTA_GATEWAY = 1, 4, 5
_RT_TABLE_MAIN, _RTPROT_BOOT, _RT_SCOPE_UNIVERSE, _RT_SCOPE_LINK, _RTN_UNICAST = 254, 3, 0, 253, 1


class Link(NamedTuple):
    """A network interface."""

    ifindex: int
    name: str
    up: bool
    mac: bytes


class Route(NamedTuple):
    """An IPv4 route of any table: destination, prefix length, the interface it leaves by (0 = none)."""

    destination: int
    prefix_length: int
    link_ifindex: int


def _body(index: int = 0, flags: int = 0, change: int = 0, family: int = socket.AF_UNSPEC) -> bytes:
    return _LINK.pack(family, 0, index, flags, change)


def add_bridge(name: str, mac: bytes) -> Message:
    """Make a bridge, down; one that exists stays as it is. A fixed address does not change as ports join."""
    data = wire.nested(_IFLA_INFO_DATA, wire.u8(_IFLA_BR_MCAST_SNOOPING, 0))
    info = wire.nested(_IFLA_LINKINFO, wire.text(_IFLA_INFO_KIND, "bridge"), data)
    body = _body() + wire.text(_IFLA_IFNAME, name) + wire.attribute(_IFLA_ADDRESS, mac) + info
    return Message(_RTM_NEWLINK, wire.NLM_F_CREATE | wire.NLM_F_EXCL, body, f"add bridge {name}", (errno.EEXIST,))


def add_veth(name: str, master: int, peer: str, peer_mac: bytes, peer_netns_fd: int) -> Message:
    """Make a pair, both ends down: `name` here as a port of `master`, `peer` inside `peer_netns_fd` from its birth."""
    # The default is one queue for each processor that the machine could have, each with its objects in sysfs.
    queues = wire.u32(_IFLA_NUM_TX_QUEUES, 1) + wire.u32(_IFLA_NUM_RX_QUEUES, 1)
    other = _body() + wire.text(_IFLA_IFNAME, peer) + wire.attribute(_IFLA_ADDRESS, peer_mac)
    other += wire.u32(_IFLA_NET_NS_FD, peer_netns_fd) + queues
    data = wire.nested(_IFLA_INFO_DATA, wire.nested(_VETH_INFO_PEER, other))
    info = wire.nested(_IFLA_LINKINFO, wire.text(_IFLA_INFO_KIND, "veth"), data)
    body = _body() + wire.text(_IFLA_IFNAME, name) + wire.u32(_IFLA_MASTER, master) + queues + info
    return Message(_RTM_NEWLINK, wire.NLM_F_CREATE | wire.NLM_F_EXCL, body, f"add veth {name}")


def without_ipv6_address(name: str) -> Message:
    """Have a link make no IPv6 link-local address, hence no duplicate address detection, when it comes up."""
    # Not in the message that brings it up: that does things in an order of its own, and it is too late then.
    return Message(_RTM_NEWLINK, 0, _body() + wire.text(_IFLA_IFNAME, name) + _WITHOUT_IPV6, f"configure {name}")


def configure_port(name: str) -> Message:
    """The same for a bridge's port, and set it to hairpin mode: it may get back what it sent to itself."""
    # With br_netfilter, a published port is redirected before the bridge decides where a packet goes, and it would not
    # go back to where it came from: a container could not reach itself through the host.
    slave = wire.text(_IFLA_INFO_SLAVE_KIND, "bridge")
    slave += wire.nested(_IFLA_INFO_SLAVE_DATA, wire.u8(_IFLA_BRPORT_MODE, 1))
    body = _body() + wire.text(_IFLA_IFNAME, name) + wire.nested(_IFLA_LINKINFO, slave) + _WITHOUT_IPV6
    return Message(_RTM_NEWLINK, 0, body, f"configure {name}")


def set_up(name: str) -> Message:
    """Bring a link up."""
    return Message(
        _RTM_NEWLINK, 0, _body(flags=IFF_UP, change=IFF_UP) + wire.text(_IFLA_IFNAME, name), f"set {name} up"
    )


def set_down(name: str) -> Message:
    """Take a link down, which costs 0.3 ms where deleting it waits for 15; one that is gone is no error."""
    body = _body(change=IFF_UP) + wire.text(_IFLA_IFNAME, name)
    return Message(_RTM_NEWLINK, 0, body, f"set {name} down", (errno.ENODEV,))


def set_loopback_up() -> Message:
    """Bring `lo` up."""
    return Message(_RTM_NEWLINK, 0, _body(LOOPBACK_INDEX, IFF_UP, IFF_UP), "set lo up")


def delete_link(name: str) -> Message:
    """Remove a link (a bridge, or a pair by one of its ends); one that is gone is no error."""
    body = _body() + wire.text(_IFLA_IFNAME, name)
    return Message(_RTM_DELLINK, 0, body, f"delete link {name}", (errno.ENODEV,))


def add_address(link_ifindex: int, address: int, prefix_length: int) -> Message:
    """Give a link an address with its subnet's broadcast; the same address there already is no error."""
    packed = struct.pack("!I", address)
    broadcast = struct.pack("!I", address | (0xFFFFFFFF >> prefix_length))
    body = _ADDRESS.pack(socket.AF_INET, prefix_length, 0, 0, link_ifindex)
    body += wire.attribute(_IFA_LOCAL, packed) + wire.attribute(_IFA_ADDRESS, packed)
    body += wire.attribute(_IFA_BROADCAST, broadcast)
    return Message(_RTM_NEWADDR, wire.NLM_F_CREATE | wire.NLM_F_EXCL, body, "add address", (errno.EEXIST,))


def add_default_route(link_ifindex: int, gateway: int) -> Message:
    """Send everything that has no better route to `gateway`."""
    body = _ROUTE.pack(socket.AF_INET, 0, 0, 0, _RT_TABLE_MAIN, _RTPROT_BOOT, _RT_SCOPE_UNIVERSE, _RTN_UNICAST, 0)
    body += wire.attribute(_RTA_GATEWAY, struct.pack("!I", gateway)) + wire.u32(_RTA_OIF, link_ifindex)
    return Message(_RTM_NEWROUTE, wire.NLM_F_CREATE | wire.NLM_F_REPLACE, body, "add default route")


def add_route(link_ifindex: int, destination: int, prefix_length: int) -> Message:
    """Have a subnet lie behind a link; replaces the route that it has."""
    how = (_RT_TABLE_MAIN, _RTPROT_BOOT, _RT_SCOPE_LINK, _RTN_UNICAST)
    body = _ROUTE.pack(socket.AF_INET, prefix_length, 0, 0, *how, 0)
    body += wire.attribute(_RTA_DST, struct.pack("!I", destination)) + wire.u32(_RTA_OIF, link_ifindex)
    return Message(_RTM_NEWROUTE, wire.NLM_F_CREATE | wire.NLM_F_REPLACE, body, "add route")


def delete_route(link_ifindex: int, destination: int, prefix_length: int) -> Message:
    """Undo add_route(); a route that is gone is no error."""
    body = _ROUTE.pack(socket.AF_INET, prefix_length, 0, 0, _RT_TABLE_MAIN, 0, _RT_SCOPE_LINK, 0, 0)
    body += wire.attribute(_RTA_DST, struct.pack("!I", destination)) + wire.u32(_RTA_OIF, link_ifindex)
    return Message(_RTM_DELROUTE, 0, body, "delete route", (errno.ESRCH,))


def find_link(connection: Connection, name: str) -> Link | None:
    """Return the link called `name`, or None."""
    # By ioctl, netdevice(7): the netlink request waits for the lock that every change of any link on the machine takes.
    try:
        index = connection.interface(_SIOCGIFINDEX, name, "=i")
        flags = connection.interface(_SIOCGIFFLAGS, name, "=H")
        mac = connection.interface(_SIOCGIFHWADDR, name, "=2x6s")
    except OSError as error:
        if error.errno == errno.ENODEV:
            return None
        raise
    return Link(index[0], name, bool(flags[0] & IFF_UP), mac[0])


def links(connection: Connection) -> list[Link]:
    """Return every link of the connection's namespace."""
    body = _body() + wire.u32(_IFLA_EXT_MASK, _RTEXT_FILTER_SKIP_STATS)
    return [_link(received) for received in connection.dump(Message(_RTM_GETLINK, 0, body, "list links"))]


def routes(connection: Connection) -> list[Route]:
    """Return the IPv4 routes of every table, the default routes among them."""
    body = _ROUTE.pack(socket.AF_INET, 0, 0, 0, 0, 0, 0, 0, 0)
    return [_route(received) for received in connection.dump(Message(_RTM_GETROUTE, 0, body, "list routes"))]


def _link(received: Received) -> Link:
    _family, _type, index, flags, _change = _LINK.unpack_from(received.body)
    values = dict(wire.attributes(received.body[_LINK.size :]))
    name = values.get(_IFLA_IFNAME, b"").rstrip(b"\0").decode()
    return Link(index, name, bool(flags & IFF_UP), values.get(_IFLA_ADDRESS, b""))


def _route(received: Received) -> Route:
    values = dict(wire.attributes(received.body[_ROUTE.size :]))
    destination = int.from_bytes(values.get(_RTA_DST, b""), "big")
    out = int.from_bytes(values.get(_RTA_OIF, b""), sys.byteorder)
    return Route(destination, received.body[1], out)
