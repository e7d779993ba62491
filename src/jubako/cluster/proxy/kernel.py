"""A cluster's table in the kernel: looked at, changed, replaced, taken down. All of it blocks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from jubako.cluster.proxy import script
from jubako.cluster.proxy.ports import Port
from jubako.cluster.proxy.rules import Table
from jubako.errors import JubakoError
from jubako.linux.netlink import conntrack, nftables
from jubako.linux.netlink.connection import NETLINK_NETFILTER, Connection
from jubako.network import address
from jubako.network.firewall import list_table, run_nft


def is_there(name: str) -> bool:
    with Connection(NETLINK_NETFILTER) as connection:
        return nftables.table_exists(connection, name)


def change(name: str, old: Table, new: Table) -> bool:
    """Go from one table to the next; False where the kernel does not have the old one."""
    if not is_there(name):
        return False
    try:
        if text := script.changing(name, old, new):
            run_nft(text)
    except JubakoError:
        return False
    return True


def replace(name: str, new: Table) -> None:
    """Make the table what it must be, whatever it is. Raises Unavailable, PermissionDenied."""
    try:
        run_nft(script.replacing(name, new, *script.names(list_table(name))))
    except JubakoError:
        # What is there does not fit, of another version say.
        run_nft(_removing(name) + script.replacing(name, new, (), ()))


def remove(name: str) -> None:
    """Take the table down, if it is there."""
    run_nft(_removing(name))


def _removing(name: str) -> str:
    return f"add table ip {name}\ndelete table ip {name}\n"


def forget(old: Sequence[Port], new: Sequence[Port]) -> None:
    """Have UDP clients that never pause see the change: those of targets that have gone, and those of a node's port
    that found nobody there."""
    before = {port.name: port for port in old if port.protocol == "udp"}
    now = {port.name: port for port in new if port.protocol == "udp"}
    gone = {each for port in before.values() for each in port.targets}
    gone -= {each for port in now.values() for each in port.targets}
    come = [p.node_port for p in now.values() if p.node_port and p.targets and not _targets(before.get(p.name))]
    if gone or come:
        with closing(Connection(NETLINK_NETFILTER)) as connection:
            for each in sorted(gone):
                conntrack.forget_udp_from(connection, address.parse(each.address), each.port)
            for number in come:
                conntrack.forget_udp(connection, number)


def _targets(port: Port | None) -> Sequence[object]:
    return port.targets if port else ()
