"""Networks and the places that containers have in them: what the engine and the builder call.

Two steps:    reserve() records an endpoint with its address and ports; attach() makes it so. What attach() makes is
              found by its name (links) or by the record (ports), so reconcile() can undo it after any crash.
Laziness:     a bridge and the firewall table come up with the first endpoint that needs them and go with remove(),
              prune() or teardown().
Concurrency:  many processes. Attaching takes no lock of ours. The structure (bridges, table, their removal) is changed
              inside a store transaction, which excludes reservations; so is the removal of a published port, so that
              nobody removes a port that a new owner has just published.
"""

from __future__ import annotations

import os
from collections.abc import Collection as Container
from collections.abc import Sequence
from contextlib import suppress

from msgspec.structs import replace

from jubako.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from jubako.linux.netlink.route import Link
from jubako.network import address, bridge, holder, sockets
from jubako.network.address import Subnet
from jubako.network.addresses import Addresses, unique
from jubako.network.catalog import DEFAULT, PREDEFINED, Catalog
from jubako.network.connector import Connector
from jubako.network.naming import Names
from jubako.network.ports import Ports
from jubako.network.record import BRIDGE, NONE, Endpoint, Network, PortBinding
from jubako.network.structure import Structure
from jubako.store import Store

# Inside the class, `list` is a method.
_Endpoints = list[Endpoint]
_Networks = list[Network]
_Peers = list[tuple[list[str], str]]
_Descriptors = list[int]
_Texts = list[str]


class Networks:
    """The networks of one state directory."""

    def __init__(self, store: Store, run_root: str | os.PathLike[str]) -> None:
        self.names = Names(store.root)
        self._records = store.records
        self._endpoints = store.records.collection("endpoint", Endpoint, lasting=False)
        self._catalog = Catalog(store.records, self.names)
        self._addresses = Addresses(store.records, self._endpoints)
        self._ports = Ports(store.records)
        self._structure = Structure(self.names, self._catalog, self._endpoints)
        self._connector = Connector(store.records, self._endpoints, self._ports, self._structure)

    def close(self) -> None:
        """Let go of the kernel; the object may be used again."""
        self._structure.firewall.close()

    def create(
        self,
        name: str,
        *,
        driver: str = BRIDGE,
        subnet: str | None = None,
        gateway: str | None = None,
        internal: bool = False,
        labels: dict[str, str] | None = None,
    ) -> Network:
        """Define a bridge network; AlreadyExists, Conflict (subnets overlap), InvalidArgument, PermissionDenied."""
        if driver != BRIDGE:
            raise InvalidArgument(f"could not find plugin {driver} in v1 plugin registry: plugin not found")
        if gateway and not subnet:
            raise InvalidArgument("a gateway needs a subnet")
        return self._catalog.create(name, subnet, gateway, internal=internal, labels=labels or {})

    def get(self, name_or_id: str) -> Network:
        """Return a network by name, ID, or unambiguous beginning of an ID; raises NotFound."""
        return self._catalog.find(name_or_id)

    def list(self) -> _Networks:
        """Return every network by name, the predefined ones among them."""
        return self._catalog.list()

    def remove(self, name_or_id: str) -> Network:
        """Remove a network that no container uses; NotFound, PermissionDenied (predefined), FailedPrecondition."""
        network = self.get(name_or_id)
        if network.name in PREDEFINED:
            raise PermissionDenied(f"{network.name} is a pre-defined network and cannot be removed")
        with self._records.transaction():
            if self.endpoints(network):
                raise FailedPrecondition(
                    f"error while removing network: network {network.name} id {network.id} has active endpoints"
                )
            self._catalog.remove(network)
            self._addresses.forget(network.id)
            self._structure.remove(network)
        return network

    def prune(self, in_use: Container[str] = ()) -> _Networks:
        """Remove users' networks that have no endpoint, except those whose name or ID is `in_use`; then teardown()."""
        removed = []
        for network in self.list():
            if network.name in PREDEFINED or network.name in in_use or network.id in in_use:
                continue
            try:
                removed.append(self.remove(network.id))
            except FailedPrecondition:
                continue
        self.teardown()
        return removed

    def teardown(self) -> bool:
        """Take the bridges and the firewall table away when no endpoint is left; tells whether it did."""
        with self._records.transaction():
            if self._endpoints.keys():
                return False
            self._structure.teardown()
        return True

    def endpoints(self, network: Network) -> _Endpoints:
        """Return the endpoints on a network."""
        return [endpoint for _, endpoint in self._endpoints.items() if endpoint.network_id == network.id]

    def endpoint(self, container_id: str) -> Endpoint | None:
        """Return a container's first endpoint, if it has any."""
        found = self._of(container_id)
        return found[0] if found else None

    def peers(self, network: str) -> _Peers:
        """Return (names, address) of each endpoint on a network: container name, then aliases."""
        found = self.endpoints(self.get(network))
        return [(list(dict.fromkeys([e.container_name, *e.aliases])), e.ip) for e in found]

    def host_address(self, network: str) -> str:
        """Where a container on a network finds this host: `host-gateway` of `--add-host`."""
        if network == "host":
            return "127.0.0.1"
        found = self.get(DEFAULT if ":" in network else network)
        return found.gateway or self.get(DEFAULT).gateway

    def lead(self, subnet: str) -> str:
        """Have the bridge of `bridge` up and further addresses lie behind it; returns where containers find this host.

        Raises PermissionDenied, Unavailable.
        """
        network = self.get(DEFAULT)
        if not self._structure.is_ready(network):
            with self._records.transaction():
                network = self._ready(network.id)
        bridge.lead(network, Subnet.parse(subnet))
        return network.gateway

    def lead_no_more(self, subnet: str) -> None:
        """Undo lead(); idempotent."""
        bridge.lead_no_more(self.get(DEFAULT), Subnet.parse(subnet))

    def reserve(
        self,
        container_id: str,
        name: str,
        *,
        network: str,
        aliases: Sequence[str] = (),
        ip: str | None = None,
        mac: str | None = None,
        ports: Sequence[PortBinding] = (),
    ) -> Endpoint:
        """Record a container's endpoint with its address and host ports, before anything is made.

        On `host` and `none` there is nothing to record. Raises NotFound (network), AlreadyExists (port, address),
        ResourceExhausted, InvalidArgument.
        """
        found = self.get(network)
        if found.driver != BRIDGE:
            return self._new(found, container_id, name, 0)
        if mac:
            address.pack_mac(mac)
        with self._records.transaction():
            found = self._ready(found.id)
            endpoint = self._new(found, container_id, name, len(self._of(container_id)))
            chosen = self._addresses.check(found, ip) if ip else self._addresses.allocate(found)
            endpoint = replace(
                endpoint,
                ip=chosen,
                prefix_len=Subnet.parse(found.subnet).prefix_len,
                gateway=found.gateway,
                mac=mac or address.mac_of(address.parse(chosen)),
                aliases=[*aliases],
                holder=holder.current(),
            )
            # As in Docker, an internal network publishes nothing.
            wanted = [] if found.internal else list(dict.fromkeys(ports))
            endpoint = replace(endpoint, ports=[self._ports.claim(endpoint, binding) for binding in wanted])
            self._endpoints.insert(endpoint.key, endpoint, unique=[unique(found.id, chosen)])
        return endpoint

    def attach(self, endpoint: Endpoint, netns_fd: int) -> _Descriptors:
        """Connect a container's network namespace and publish its ports.

        Returns the sockets that hold the ports; the caller owns them and keeps them open as long as the container
        lives. Raises Conflict when a host process has a port, PermissionDenied, Unavailable; detach() undoes it.
        """
        try:
            if endpoint.driver == BRIDGE:
                return self._connector.connect(endpoint, self.get(endpoint.network_id), netns_fd)
            if endpoint.driver == NONE:
                bridge.loopback_up(netns_fd)
        except OSError as error:
            raise bridge.explained(error, f"connect {endpoint.container_name} to network {endpoint.network}") from error
        return []

    def hold(self, container_id: str) -> _Descriptors:
        """Sockets on the published ports of what is connected, as attach() returns them: on those that are free."""
        held: list[int] = []
        for binding in (binding for endpoint in self._of(container_id) for binding in endpoint.ports):
            with suppress(OSError):
                held.append(sockets.hold(binding).detach())
        return held

    def detach(self, container_id: str) -> None:
        """Undo all that reserve() and attach() did for a container, however far they came; idempotent."""
        if not self._of(container_id):
            return
        with self._records.transaction():
            endpoints = self._of(container_id)
            self._structure.firewall.withdraw(endpoints)
            for endpoint in endpoints:
                self._ports.release(endpoint)
                self._endpoints.delete(endpoint.key)
        bridge.unplug(endpoints)

    def reconcile(self, living: Container[str]) -> None:
        """Collect what crashes have left: endpoints of containers not in `living`, and links and ports of nobody.

        An endpoint whose reserving process still runs is left alone: its container may be about to live.
        """
        links = bridge.links(self.names.link_prefix, self.names.bridge_prefix)
        for container_id in dict.fromkeys(endpoint.container_id for _, endpoint in self._endpoints.items()):
            if container_id not in living and not any(holder.is_alive(e.holder) for e in self._of(container_id)):
                self.detach(container_id)
        bridge.remove(self._ghosts(links))
        with self._records.transaction():
            self._structure.firewall.withdraw_others([endpoint for _, endpoint in self._endpoints.items()])

    def _ghosts(self, links: Sequence[Link]) -> _Texts:
        """Which of `links` have no record now; one had its record before it was made, so these lost it since."""
        owned = {endpoint.link for _, endpoint in self._endpoints.items()}
        owned |= {network.bridge for network in self._catalog.bridges()}
        # A pair that is down was unplugged: its namespace is ending and takes it along.
        return [
            link.name
            for link in links
            if link.name not in owned and (link.up or link.name.startswith(self.names.bridge_prefix))
        ]

    def _new(self, network: Network, container_id: str, name: str, number: int) -> Endpoint:
        endpoint_id = os.urandom(32).hex()
        return Endpoint(
            id=endpoint_id,
            container_id=container_id,
            container_name=name,
            network_id=network.id,
            network=network.name,
            driver=network.driver,
            link=self.names.link(endpoint_id) if network.driver == BRIDGE else "",
            interface=f"eth{number}" if network.driver == BRIDGE else "",
        )

    def _ready(self, network_id: str) -> Network:
        network = self.get(network_id)
        try:
            return self._structure.ready(network)
        except OSError as error:
            raise bridge.explained(error, f"bring up network {network.name}") from error

    def _of(self, container_id: str) -> _Endpoints:
        return [endpoint for _, endpoint in self._endpoints.items(f"{container_id}/")]
