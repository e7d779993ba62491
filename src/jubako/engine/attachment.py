"""Between a container and its network: reservation, attachment, names, release."""

from __future__ import annotations

import os

import msgspec

from jubako.engine import files
from jubako.engine.drivers import Drivers
from jubako.engine.events import emit
from jubako.engine.record import RUNNING, ContainerRecord
from jubako.network import PortBinding, publish
from jubako.runtime.executor import Handle


def is_bridged(record: ContainerRecord) -> bool:
    """Whether the container has an endpoint of its own."""
    network = record.options.network
    return network not in ("none", "host") and not network.startswith("container:")


def reserve_network(drivers: Drivers, record: ContainerRecord) -> None:
    """Claim an address and the published ports, in the caller's transaction; AlreadyExists for a taken one."""
    if not is_bridged(record):
        return
    options = record.options
    endpoint = drivers.networks.reserve(
        record.id,
        record.name,
        network=options.network,
        aliases=[*options.network_aliases, record.short_id],
        ip=options.ip,
        mac=options.mac_address,
        ports=_bindings(record),
    )
    emit(drivers, "network", "connect", endpoint.network_id, {"container": record.id, "name": options.network})


def attach_network(drivers: Drivers, record: ContainerRecord, handle: Handle) -> list[int]:
    """Connect the started namespaces; returns the sockets that hold the published ports."""
    if not is_bridged(record):
        return []
    endpoint = drivers.networks.endpoint(record.id)
    if endpoint is None:
        return []
    netns_fd = handle.netns_fd()
    try:
        held = drivers.networks.attach(endpoint, netns_fd)
    finally:
        os.close(netns_fd)
    if has_names(record):
        rewrite_hosts(drivers, record.options.network, except_id=record.id)
    return held


def release_network(drivers: Drivers, record: ContainerRecord) -> None:
    """Give the address and the ports back; does nothing when that is done already."""
    if is_bridged(record):
        drivers.networks.detach(record.id)
        if has_names(record):
            rewrite_hosts(drivers, record.options.network, except_id=record.id)


def has_names(record: ContainerRecord) -> bool:
    """Neighbours see each other by name on user-defined networks, and not on the default bridge, as in Docker."""
    return is_bridged(record) and record.options.network != "bridge"


def network_names(drivers: Drivers, record: ContainerRecord) -> tuple[files.Names, files.Names]:
    """The hosts entries of the container itself and of its neighbours."""
    endpoint = drivers.networks.endpoint(record.id) if is_bridged(record) else None
    if endpoint is None:
        return [], []
    host = record.options.hostname or record.short_id
    peers = drivers.networks.peers(record.options.network) if has_names(record) else []
    further = [name for names, address in peers if address == endpoint.ip for name in names]
    own = list(dict.fromkeys([host, host.partition(".")[0], *further]))
    return [(own, endpoint.ip)], [peer for peer in peers if peer[1] != endpoint.ip]


def rewrite_hosts(drivers: Drivers, network: str, *, except_id: str) -> None:
    """Tell the other running containers of a user-defined network their neighbours' names of this moment."""
    for container_id, record in drivers.containers.items():
        path = drivers.run_dir(container_id) / "hosts"
        if (
            record.phase == RUNNING
            and record.options.network == network
            and container_id != except_id
            and path.exists()
        ):
            own, peers = network_names(drivers, record)
            files.overwrite(str(path), files.hosts_text(record.options, own, peers))


def _bindings(record: ContainerRecord) -> list[PortBinding]:
    bindings = [binding for text in record.options.publish for binding in publish.parse(text)]
    if record.options.publish_all:
        taken = {(binding.container_port, binding.protocol) for binding in bindings}
        for text in record.exposed:
            for binding in publish.parse(text):
                if (binding.container_port, binding.protocol) not in taken:
                    bindings.append(msgspec.structs.replace(binding, host_port=0))
    return bindings
