"""Addresses within a network: each endpoint has one that no other has.

Concurrency:  runs inside the caller's store transaction.
"""

from __future__ import annotations

from jubako.errors import AlreadyExists, FailedPrecondition, ResourceExhausted
from jubako.network import address
from jubako.network.address import Subnet
from jubako.network.record import Cursor, Endpoint, Network
from jubako.store import Collection, Records


def unique(network_id: str, ip: int | str) -> str:
    """The string that makes an address unique among endpoints."""
    return f"{network_id} {ip if isinstance(ip, str) else address.show(ip)}"


class Addresses:
    """Addresses of one engine's endpoints."""

    def __init__(self, records: Records, endpoints: Collection[Endpoint]) -> None:
        self._cursors = records.collection("address", Cursor, lasting=False)
        self._endpoints = endpoints

    def allocate(self, network: Network) -> str:
        """Return the next free address after the one given last; raises ResourceExhausted."""
        subnet = Subnet.parse(network.subnet)
        cursor = self._cursors.find(network.id)
        last = cursor.last if cursor and subnet.has(cursor.last) else subnet.base
        count = subnet.last - subnet.first + 1
        for step in range(1, count + 1):
            ip = subnet.first + (last - subnet.first + step) % count
            if address.show(ip) != network.gateway and not self._is_used(network, ip):
                self._remember(network, ip, known=cursor is not None)
                return address.show(ip)
        raise ResourceExhausted(f"no available IPv4 addresses on this network's address pools: {network.name}")

    def check(self, network: Network, ip: str) -> str:
        """Return an address that the user asks for, if it can be given."""
        number = address.parse(ip)
        if not Subnet.parse(network.subnet).has(number):
            raise FailedPrecondition(f"invalid address {ip}: it does not belong to any of this network's subnets")
        if ip == network.gateway or self._is_used(network, number):
            raise AlreadyExists("address", ip, message="Address already in use")
        return address.show(number)

    def forget(self, network_id: str) -> None:
        """Drop what is kept about a network that is removed."""
        self._cursors.delete(network_id)

    def _is_used(self, network: Network, ip: int) -> bool:
        return self._endpoints.by_unique(unique(network.id, ip)) is not None

    def _remember(self, network: Network, ip: int, *, known: bool) -> None:
        if known:
            self._cursors.replace(network.id, Cursor(ip))
        else:
            self._cursors.insert(network.id, Cursor(ip))
