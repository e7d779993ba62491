"""Between a container, or a pod, and its network: reservation, attachment, names, release."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec

from jubako.engine import files
from jubako.engine.drivers import Drivers
from jubako.engine.events import emit
from jubako.engine.options import SharedOptions
from jubako.engine.ordinary import PASTA, is_bridge
from jubako.engine.record import RUNNING, ContainerRecord
from jubako.network import PortBinding, hosts, publish


class Connected(Protocol):
    """What may have a place in a network: the record of a container or of a pod."""

    @property
    def id(self) -> str: ...

    @property
    def short_id(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def hostname(self) -> str: ...

    @property
    def options(self) -> SharedOptions: ...

    @property
    def exposed(self) -> list[str]: ...

    @property
    def phase(self) -> str: ...


def is_bridged(record: Connected) -> bool:
    """Whether it has an endpoint of its own."""
    return is_bridge(record.options.network)


def is_carried(record: Connected) -> bool:
    """Whether pasta makes its connections."""
    return record.options.network == PASTA


def reserve_network(drivers: Drivers, record: Connected) -> None:
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


def choose_ports(record: ContainerRecord) -> None:
    """Where pasta listens for the container is chosen at each start, as a bridge's ports are; Conflict and the like."""
    from jubako.network import pasta

    record.carried = pasta.choose(record.id, record.name, _bindings(record))


def carry_network(drivers: Drivers, record: ContainerRecord, netns_fd: int) -> list[int]:
    """Have pasta make the container's connections, and listen at its published ports: no sockets of ours hold those."""
    from jubako.network import pasta

    pasta.connect(netns_fd, drivers.run_dir(record.id), record.carried)
    return []


def attach_network(drivers: Drivers, record: Connected, netns_fd: int) -> list[int]:
    """Connect a bridged one's network namespace; returns the sockets that hold the published ports."""
    endpoint = drivers.networks.endpoint(record.id)
    if endpoint is None:
        return []
    held = drivers.networks.attach(endpoint, netns_fd)
    if has_names(record):
        rewrite_hosts(drivers, record.options.network, except_id=record.id)
    return held


def release_network(drivers: Drivers, record: Connected) -> None:
    """Give the address and the ports back; does nothing when that is done already."""
    if is_carried(record):
        from jubako.network import pasta

        pasta.disconnect(drivers.run_dir(record.id))
    if is_bridged(record):
        drivers.networks.detach(record.id)
        if has_names(record):
            rewrite_hosts(drivers, record.options.network, except_id=record.id)


def has_names(record: Connected) -> bool:
    """Neighbours see each other by name on user-defined networks, and not on the default bridge, as in Docker."""
    return is_bridged(record) and record.options.network != "bridge"


def hosts_text(drivers: Drivers, record: Connected) -> str:
    """The hosts file: loopback, --add-host entries, its own names, its neighbours'."""
    gateway = partial(_host_address, drivers, record)
    own, peers = _names(drivers, record)
    return hosts.render([*hosts.entries(record.options.extra_hosts, gateway), *own, *peers])


def _host_address(drivers: Drivers, record: Connected) -> str:
    if not is_carried(record):
        return drivers.networks.host_address(record.options.network)
    from jubako.network import pasta

    return pasta.host_address()


def _names(drivers: Drivers, record: Connected) -> tuple[files.Names, files.Names]:
    """The hosts entries of its own and of its neighbours."""
    if is_carried(record):
        return [([record.hostname], "127.0.1.1")], []
    endpoint = drivers.networks.endpoint(record.id) if is_bridged(record) else None
    if endpoint is None:
        return [], []
    host, domain = record.hostname, record.options.own_domain
    full = [f"{host}.{domain}"] if domain else []
    peers = drivers.networks.peers(record.options.network) if has_names(record) else []
    further = [name for names, address in peers if address == endpoint.ip for name in names]
    own = list(dict.fromkeys([*full, host, host.partition(".")[0], *further]))
    return [(own, endpoint.ip)], [peer for peer in peers if peer[1] != endpoint.ip]


def rewrite_hosts(drivers: Drivers, network: str, *, except_id: str) -> None:
    """Tell all others on a user-defined network their neighbours' names of this moment."""
    for run_dir, record in _everybody(drivers):
        if record.options.network == network and record.id != except_id and (run_dir / "hosts").exists():
            files.overwrite(str(run_dir / "hosts"), hosts_text(drivers, record))


def _everybody(drivers: Drivers) -> Iterator[tuple[Path, Connected]]:
    for key, container in drivers.containers.items():
        if container.phase == RUNNING:
            yield drivers.run_dir(key), container
    for key, pod in drivers.pods.items():
        yield drivers.pod_places.run_dir(key), pod


def _bindings(record: Connected) -> list[PortBinding]:
    bindings = [binding for text in record.options.publish for binding in publish.parse(text)]
    if record.options.publish_all:
        taken = {(binding.container_port, binding.protocol) for binding in bindings}
        for text in record.exposed:
            for binding in publish.parse(text):
                if (binding.container_port, binding.protocol) not in taken:
                    bindings.append(msgspec.structs.replace(binding, host_port=0))
    return bindings
