"""Connecting one container: hold its ports, plug it into the bridge, publish."""

from __future__ import annotations

import errno
import socket
from contextlib import ExitStack

from msgspec.structs import replace

from jubako.errors import Conflict
from jubako.network import bridge, sockets
from jubako.network.ports import Ports
from jubako.network.record import Endpoint, Network, PortBinding
from jubako.network.structure import Structure
from jubako.store import Collection, Records


class Connector:
    """Connects the endpoints of one engine. Takes no lock; only what has to be repaired needs a transaction."""

    def __init__(self, records: Records, endpoints: Collection[Endpoint], ports: Ports, structure: Structure) -> None:
        self._records = records
        self._endpoints = endpoints
        self._ports = ports
        self._structure = structure

    def connect(self, endpoint: Endpoint, network: Network, netns_fd: int) -> list[int]:
        """Do what Networks.attach() promises for a bridge network; raises OSError for the kernel's errors."""
        with ExitStack() as stack:
            endpoint, held = self._hold(endpoint, stack)
            self._plug(endpoint, network, netns_fd)
            if endpoint.ports:
                self._structure.firewall.publish([endpoint])
            stack.pop_all()
        return [bound.detach() for bound in held]

    def _hold(self, endpoint: Endpoint, stack: ExitStack) -> tuple[Endpoint, list[socket.socket]]:
        """Bind the ports; one of our choosing that somebody has taken meanwhile is replaced by another."""
        held: list[socket.socket] = []
        for binding in endpoint.ports:
            try:
                held.append(stack.enter_context(sockets.hold(binding)))
            except OSError as error:
                if not binding.chosen or error.errno != errno.EADDRINUSE:
                    raise sockets.refusal(endpoint, binding, error) from error
                endpoint, gained = self._choose_again(endpoint, binding)
                held.append(stack.enter_context(sockets.hold(gained)))
        return endpoint, held

    def _choose_again(self, endpoint: Endpoint, lost: PortBinding) -> tuple[Endpoint, PortBinding]:
        with self._records.transaction():
            gained = self._ports.claim(endpoint, replace(lost, host_port=0))
            self._ports.release(replace(endpoint, ports=[lost]))
            endpoint = replace(endpoint, ports=[gained if binding == lost else binding for binding in endpoint.ports])
            self._endpoints.replace(endpoint.key, endpoint)
        return endpoint, gained

    def _plug(self, endpoint: Endpoint, network: Network, netns_fd: int) -> None:
        routed = endpoint.interface == "eth0" and not network.internal
        if self._structure.firewall.is_there() and bridge.plug(endpoint, network.bridge, netns_fd, routed=routed):
            return
        with self._records.transaction():
            self._structure.ready(network)
        if not bridge.plug(endpoint, network.bridge, netns_fd, routed=routed):
            raise Conflict(f"network {network.name} was removed while a container was connected to it")
