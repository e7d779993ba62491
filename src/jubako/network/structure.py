"""The part of the kernel's state that containers share: the bridges and the firewall table.

It comes up with the first endpoint that needs it, and again after a reboot or a flushed firewall; it goes with the
network, or when nothing uses it any more.

Concurrency:  ready() runs inside the caller's store transaction when it has to change anything, and so do remove() and
              teardown(); that keeps what they find in the records true until they are done.
"""

from __future__ import annotations

from jubako.network import bridge
from jubako.network.address import Subnet
from jubako.network.catalog import Catalog
from jubako.network.firewall import Firewall
from jubako.network.naming import Names
from jubako.network.record import Endpoint, Network
from jubako.store import Collection


class Structure:
    """The bridges and the table of one engine."""

    def __init__(self, names: Names, catalog: Catalog, endpoints: Collection[Endpoint]) -> None:
        self.firewall = Firewall(names.table)
        self._names = names
        self._catalog = catalog
        self._endpoints = endpoints

    def is_ready(self, network: Network) -> bool:
        """Tell whether the network's bridge and the table are there."""
        return bridge.is_up(network) and self.firewall.is_there()

    def ready(self, network: Network) -> Network:
        """See that the network's bridge and the table are there; returns the network, which may have moved."""
        if self.is_ready(network):
            return network
        network = self._settle(network)
        self.firewall.apply(self._catalog.bridges())
        # After `nft flush ruleset`, say: what is published stands in the records.
        self.firewall.publish([endpoint for _, endpoint in self._endpoints.items()])
        bridge.bring_up(network)
        return network

    def remove(self, network: Network) -> None:
        """Take down what belongs to a network that is no longer recorded."""
        bridge.remove([network.bridge])
        if self.firewall.is_there():
            self.firewall.apply(self._catalog.bridges())

    def teardown(self) -> None:
        """Take everything down."""
        names = [link.name for link in bridge.links("jubako", self._names.bridge_prefix, self._names.link_prefix)]
        # Other engines' default bridges begin like ours.
        bridge.remove([name for name in names if name == self._names.default_bridge or not name.startswith("jubako")])
        self.firewall.remove()

    def _settle(self, network: Network) -> Network:
        """Choose another subnet if the host has come to use ours, as long as nobody has an address in it."""
        if not network.automatic or any(e.network_id == network.id for _, e in self._endpoints.items()):
            return network
        own = Subnet.parse(network.subnet)
        if not any(own.overlaps(other) for other in bridge.taken(network.bridge)):
            return network
        return self._catalog.choose_again(network)
