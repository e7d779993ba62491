"""The engine's nftables table: what is in it, and how it is changed.

    guard        a packet for or from 127.0.0.0/8 that comes out of a container is forged: drop (CVE-2020-8558)
    prerouting   traffic from outside to a published port goes to its container; the source address stays
    output       the same for this host's own traffic, 127.0.0.1 included
    postrouting  masquerade what leaves for the outside, comes from 127.0.0.1, or returns to the bridge it came from
    forward      containers of one network reach each other; from elsewhere only published ports and answers get in;
                 an internal network reaches nothing else

Structure (chains, rules, the sets that name networks) is text for `nft`, made when a bridge comes up: 5 ms, rarely.
What each container adds is an element of a map: a netlink message of our own, 0.1 ms.

Concurrency:  callers change the structure inside a store transaction, so that the sets always follow the records.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterable, Sequence

from jubako.errors import PermissionDenied, Unavailable
from jubako.linux.netlink import conntrack, nftables
from jubako.linux.netlink.connection import NETLINK_NETFILTER, Connection
from jubako.linux.netlink.nftables import Element
from jubako.network import address
from jubako.network.record import Endpoint, Network, PortBinding

_PUBLISHED, _PUBLISHED_ANY = "published", "published_any"
NEEDS_ROOT = "a bridge network needs root; --network none and host do not"
_PROTOCOL = {"tcp": 6, "udp": 17}

_STRUCTURE = """
add table ip {table}
add set ip {table} bridges {{ type ifname; }}
add set ip {table} internal {{ type ifname; }}
add set ip {table} same {{ type ifname . ifname; }}
add set ip {table} subnets {{ type ipv4_addr; flags interval; }}
add map ip {table} published {{ type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }}
add map ip {table} published_any {{ type inet_proto . inet_service : ipv4_addr . inet_service; }}
add chain ip {table} publish
add chain ip {table} guard {{ type filter hook prerouting priority raw; }}
add chain ip {table} prerouting {{ type nat hook prerouting priority dstnat; }}
add chain ip {table} output {{ type nat hook output priority -100; }}
add chain ip {table} postrouting {{ type nat hook postrouting priority srcnat; }}
add chain ip {table} forward {{ type filter hook forward priority filter; }}
flush table ip {table}
flush set ip {table} bridges
flush set ip {table} internal
flush set ip {table} same
flush set ip {table} subnets
add rule ip {table} publish dnat ip to ip daddr . ip protocol . th dport map @published
add rule ip {table} publish dnat ip to ip protocol . th dport map @published_any
add rule ip {table} guard iifname @bridges ip daddr 127.0.0.0/8 drop
add rule ip {table} guard iifname @bridges ip saddr 127.0.0.0/8 drop
add rule ip {table} prerouting ip daddr != 127.0.0.0/8 fib daddr type local jump publish
add rule ip {table} output fib daddr type local jump publish
add rule ip {table} postrouting oifname @bridges ip saddr 127.0.0.0/8 masquerade
add rule ip {table} postrouting oifname @bridges ct status dnat ip saddr @subnets masquerade
add rule ip {table} postrouting oifname != @bridges ip saddr @subnets masquerade
add rule ip {table} forward iifname . oifname @same accept
add rule ip {table} forward iifname @internal drop
add rule ip {table} forward oifname @internal drop
add rule ip {table} forward oifname @bridges ct state established,related accept
add rule ip {table} forward oifname @bridges ct status dnat accept
add rule ip {table} forward oifname @bridges drop
"""


class Firewall:
    """The table `table`. Safe for several threads, as parallel steps of a build are."""

    def __init__(self, table: str) -> None:
        self.table = table
        self._opened: tuple[int, Connection] | None = None
        self._opening = threading.Lock()

    def close(self) -> None:
        if self._opened:
            self._opened[1].close()
            self._opened = None

    @property
    def _connection(self) -> Connection:
        """The socket of this process, kept open until close().

        While removed elements wait for their grace period, closing any such socket waits with them: 12 ms, for which
        there is better use. net/netfilter/nf_tables_api.c, nft_rcv_nl_event.
        """
        with self._opening:
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = (os.getpid(), Connection(NETLINK_NETFILTER))
            return self._opened[1]

    def is_there(self) -> bool:
        """Tell whether the table is there; to a user who may not look there is none."""
        try:
            return nftables.table_exists(self._connection, self.table)
        except PermissionError:
            return False

    def apply(self, networks: Iterable[Network]) -> None:
        """Make the table what it must be for these networks, in one step; published ports stay as they are."""
        run_nft(_STRUCTURE.format(table=self.table) + _members(self.table, networks))

    def remove(self) -> None:
        """Remove the table; does nothing when it is gone."""
        if self.is_there():
            nftables.delete_table(self._connection, self.table)

    def publish(self, endpoints: Sequence[Endpoint]) -> None:
        """Send the published ports of `endpoints` to their containers."""
        elements = [element for endpoint in endpoints for element in _elements(endpoint)]
        nftables.add_elements(self._connection, self.table, elements)
        self._forget_clients(endpoints)

    def withdraw(self, endpoints: Sequence[Endpoint]) -> None:
        """Undo publish(); ports that are not published are no error."""
        elements = [element for endpoint in endpoints for element in _elements(endpoint)]
        if elements:
            nftables.delete_elements(self._connection, self.table, elements)
            self._forget_clients(endpoints)

    def withdraw_others(self, endpoints: Sequence[Endpoint]) -> None:
        """Remove every published port that belongs to none of `endpoints`."""
        if not self.is_there():
            return
        wanted = {element for endpoint in endpoints for element in _elements(endpoint)}
        for name in (_PUBLISHED, _PUBLISHED_ANY):
            found = nftables.elements_of(self._connection, self.table, name)
            nftables.delete_elements(self._connection, self.table, [e for e in found if e not in wanted])

    def _forget_clients(self, endpoints: Sequence[Endpoint]) -> None:
        """Have UDP clients that never pause see the change."""
        for port in {b.host_port for endpoint in endpoints for b in endpoint.ports if b.protocol == "udp"}:
            conntrack.forget_udp(self._connection, port)


def _members(table: str, networks: Iterable[Network]) -> str:
    """The set elements that name the networks. An internal network's subnet is never masqueraded."""
    lines = []
    for network in networks:
        lines.append(f'add element ip {table} bridges {{ "{network.bridge}" }}')
        lines.append(f'add element ip {table} same {{ "{network.bridge}" . "{network.bridge}" }}')
        if network.internal:
            lines.append(f'add element ip {table} internal {{ "{network.bridge}" }}')
        else:
            lines.append(f"add element ip {table} subnets {{ {network.subnet} }}")
    return "\n".join(lines) + "\n"


def _elements(endpoint: Endpoint) -> list[Element]:
    return [_element(endpoint.ip, binding) for binding in endpoint.ports]


def _element(ip: str, binding: PortBinding) -> Element:
    key = bytes((_PROTOCOL[binding.protocol], 0, 0, 0)) + struct.pack("!Hxx", binding.host_port)
    data = address.pack(ip) + struct.pack("!Hxx", binding.container_port)
    if binding.host_ip:
        return Element(_PUBLISHED, address.pack(binding.host_ip) + key, data)
    return Element(_PUBLISHED_ANY, key, data)


def run_nft(script: str) -> None:
    """Run `nft` on a script; raises Unavailable with what it said, PermissionDenied."""
    status, said = _run(["-f", "-"], script)
    if status:
        if "Operation not permitted" in said:
            raise PermissionDenied("cannot set up the firewall: nft: Operation not permitted", hint=NEEDS_ROOT)
        raise Unavailable(f"cannot set up the firewall: nft: {said[:4096].strip() or f'exit status {status}'}")


def list_table(table: str) -> str:
    """Return the text of an IPv4 table without the elements of its sets; "" where there is none."""
    status, said = _run(["-t", "list", "table", "ip", table])
    return "" if status else said


def _run(arguments: list[str], script: str = "") -> tuple[int, str]:
    """Run `nft`; returns its exit status and what it said."""
    source = os.memfd_create("nft", os.MFD_CLOEXEC)
    output = os.memfd_create("nft", os.MFD_CLOEXEC)
    try:
        os.write(source, script.encode())
        os.lseek(source, 0, os.SEEK_SET)
        actions = [(os.POSIX_SPAWN_DUP2, source, 0), (os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)]
        pid = os.posix_spawn(_nft(), ["nft", *arguments], {"LC_ALL": "C"}, file_actions=actions)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return status, os.pread(output, os.fstat(output).st_size, 0).decode(errors="replace")
    finally:
        os.close(source)
        os.close(output)


def _nft() -> str:
    for directory in (*os.environ.get("PATH", "").split(":"), "/usr/sbin", "/sbin"):
        path = os.path.join(directory, "nft")
        if directory and os.access(path, os.X_OK):
            return path
    raise Unavailable("cannot set up the firewall: nft is not installed", hint="apt-get install nftables")
