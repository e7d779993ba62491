"""Claims on host ports: which container has which, recorded before anything is bound.

Invariant:    a port on every address (0.0.0.0) and the same port on one address are never claimed by two endpoints.
Concurrency:  claim() and release() run inside the caller's store transaction.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

from msgspec.structs import replace

from jubako.errors import AlreadyExists, ResourceExhausted
from jubako.network import sockets
from jubako.network.record import Endpoint, PortBinding, PortClaim
from jubako.store import Records

_TRIES = 64


class Ports:
    """The claims of one engine."""

    def __init__(self, records: Records) -> None:
        self._claims = records.collection("port", PortClaim, lasting=False)

    def claim(self, endpoint: Endpoint, binding: PortBinding) -> PortBinding:
        """Record the claim and return the binding with its final host port; raises AlreadyExists in Docker's words."""
        if binding.host_port and not binding.host_port_end:
            if holder := self._holder(binding):
                raise self._taken(endpoint, binding, holder)
            return self._record(endpoint, binding)
        for candidate in _candidates(endpoint, binding):
            if not self._holder(candidate):
                return self._record(endpoint, candidate)
        raise ResourceExhausted(f"{sockets.failure(endpoint)}: all ports are allocated")

    def release(self, endpoint: Endpoint) -> None:
        """Give back what the endpoint has."""
        for binding in endpoint.ports:
            claim = self._claims.find(_key(binding))
            if claim and claim.endpoint == endpoint.key:
                self._claims.delete(_key(binding))

    def _record(self, endpoint: Endpoint, binding: PortBinding) -> PortBinding:
        self._claims.insert(_key(binding), PortClaim(endpoint.key))
        return binding

    def _holder(self, binding: PortBinding) -> str | None:
        for key, claim in self._claims.items(f"{binding.protocol}/{binding.host_port}/"):
            host_ip = key.rpartition("/")[2]
            if "0.0.0.0" in (host_ip, binding.address) or host_ip == binding.address:
                return claim.endpoint
        return None

    def _taken(self, endpoint: Endpoint, binding: PortBinding, holder: str) -> AlreadyExists:
        where = f"{binding.address}:{binding.host_port}"
        message = f"{sockets.failure(endpoint)}: Bind for {where} failed: port is already allocated"
        owner = holder.partition("/")[0]
        return AlreadyExists("port", where, holder=owner, message=message, hint=f"container {owner[:12]} has it")


def choose(endpoint: Endpoint, binding: PortBinding) -> PortBinding:
    """The binding with a host port that is free at this moment, and nobody's claim; raises as claim() and hold() do."""
    fixed = binding.host_port and not binding.host_port_end
    try:
        if fixed:
            sockets.hold(binding).close()
    except OSError as error:
        raise sockets.refusal(endpoint, binding, error) from error
    found = binding if fixed else next(_candidates(endpoint, binding), None)
    if found is None:
        raise ResourceExhausted(f"{sockets.failure(endpoint)}: all ports are allocated")
    return found


def _key(binding: PortBinding) -> str:
    return f"{binding.protocol}/{binding.host_port}/{binding.address}"


def _candidates(endpoint: Endpoint, binding: PortBinding) -> Iterator[PortBinding]:
    """Ports that are free on the host at this moment: of the wanted range, or whichever the kernel gives."""
    wanted = range(binding.host_port, binding.host_port_end + 1) if binding.host_port else [0] * _TRIES
    for port in wanted:
        candidate = replace(binding, host_port=port, host_port_end=0, chosen=not port)
        try:
            with sockets.hold(candidate) as bound:
                yield replace(candidate, host_port=bound.getsockname()[1])
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise sockets.refusal(endpoint, candidate, error) from error
