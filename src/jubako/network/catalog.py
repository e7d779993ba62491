"""The networks that exist: three that every engine has, and those that users make.

`host` and `none` are no records. The subnet of `bridge` is chosen and recorded when it is first asked for.
"""

from __future__ import annotations

import os
import re
import time

from jubako.errors import AlreadyExists, Conflict, InvalidArgument, NotFound, PermissionDenied
from jubako.network import address, bridge, subnets
from jubako.network.address import Subnet
from jubako.network.naming import Names
from jubako.network.record import BRIDGE, HOST, NONE, Network
from jubako.store import Records

DEFAULT = "bridge"
PREDEFINED = (DEFAULT, "host", "none")
_NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]*"


# Inside the class, `list` is a method.
_Networks = list[Network]


class Catalog:
    """The networks of one engine."""

    def __init__(self, records: Records, names: Names) -> None:
        self._records = records
        self._networks = records.collection("network", Network)
        self._names = names

    def find(self, text: str) -> Network:
        """Return a network by name, ID, or unambiguous beginning of an ID; NotFound, InvalidArgument."""
        if text == DEFAULT:
            return self._default()
        if network := self._networks.find(text):
            return network
        if named := self._networks.by_unique(text):
            return named[1]
        is_prefix = text and not set(text) - set("0123456789abcdef")
        matches = [n for n in self.list() if n.name == text or (is_prefix and n.id.startswith(text))]
        if len(matches) > 1:
            raise InvalidArgument(f"network {text} is ambiguous ({len(matches)} matches found on ID prefix)")
        if not matches:
            raise NotFound("network", text, message=f"network {text} not found")
        return matches[0]

    def list(self) -> _Networks:
        """Return every network, the predefined ones among them, by name."""
        self._default()
        found = [network for _, network in self._networks.items()]
        return sorted([*found, *self._fixed()], key=lambda network: network.name)

    def bridges(self) -> _Networks:
        """Return the networks that have a bridge, as recorded."""
        return [network for _, network in self._networks.items()]

    def create(
        self, name: str, subnet: str | None, gateway: str | None, *, internal: bool, labels: dict[str, str]
    ) -> Network:
        """Record a new bridge network; AlreadyExists, InvalidArgument, PermissionDenied (overlap: Conflict)."""
        _check_name(name)
        new_id = os.urandom(32).hex()
        with self._records.transaction():
            if self._networks.by_unique(name):
                raise AlreadyExists("network", name, message=f"network with name {name} already exists")
            chosen = self._check_subnet(Subnet.parse(subnet)) if subnet else self._choose(default=False)
            network = Network(
                id=new_id,
                name=name,
                driver=BRIDGE,
                subnet=str(chosen),
                gateway=_gateway(chosen, gateway),
                bridge=self._names.bridge(new_id),
                internal=internal,
                automatic=subnet is None,
                labels=labels,
                created_ns=time.time_ns(),
            )
            self._networks.insert(new_id, network, unique=[name])
        return network

    def choose_again(self, network: Network) -> Network:
        """Move a network that nobody uses to another subnet, for the host has taken its own; returns what it is now."""
        from msgspec.structs import replace

        chosen = self._choose(default=network.name == DEFAULT, besides=network)
        network = replace(network, subnet=str(chosen), gateway=address.show(chosen.first))
        self._networks.replace(network.id, network)
        return network

    def remove(self, network: Network) -> None:
        """Forget a user's network."""
        self._networks.delete(network.id)

    def _default(self) -> Network:
        network_id = self._names.predefined_id(DEFAULT)
        if network := self._networks.find(network_id):
            return network
        with self._records.transaction():
            if network := self._networks.find(network_id):
                return network
            chosen = self._choose(default=True)
            network = Network(
                id=network_id,
                name=DEFAULT,
                driver=BRIDGE,
                subnet=str(chosen),
                gateway=address.show(chosen.first),
                bridge=self._names.default_bridge,
                automatic=True,
                created_ns=time.time_ns(),
            )
            self._networks.insert(network_id, network, unique=[DEFAULT])
        return network

    def _fixed(self) -> _Networks:
        return [
            Network(id=self._names.predefined_id(name), name=name, driver=driver)
            for name, driver in (("host", HOST), ("none", NONE))
        ]

    def _choose(self, *, default: bool, besides: Network | None = None) -> Subnet:
        others = [Subnet.parse(n.subnet) for n in self.bridges() if besides is None or n.id != besides.id]
        own = besides.bridge if besides else self._names.default_bridge
        return subnets.choose(self._names, [*others, *bridge.taken(own)], default=default)

    def _check_subnet(self, wanted: Subnet) -> Subnet:
        if wanted.prefix_len > 29:
            raise InvalidArgument(f"the subnet {wanted} is too small", hint="the longest prefix is /29")
        if any(wanted.overlaps(Subnet.parse(network.subnet)) for network in self.bridges()):
            raise Conflict("Pool overlaps with other one on this address space")
        return wanted


def _check_name(name: str) -> None:
    if name in PREDEFINED:
        raise PermissionDenied(f"operation is not permitted on predefined {name} network ")
    if not re.fullmatch(_NAME, name):
        raise InvalidArgument(f"invalid network name {name!r}: only {_NAME} is allowed")


def _gateway(subnet: Subnet, gateway: str | None) -> str:
    if gateway is None:
        return address.show(subnet.first)
    if not subnet.has(address.parse(gateway)):
        raise InvalidArgument(f"no matching subnet for gateway {gateway}")
    return gateway
