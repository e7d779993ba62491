"""Cluster addresses and node ports of services.

Model:        what is taken is what stored services have, and what was handed out in the last seconds, whose write
              may be on its way. So there is no record that could be wrong after a crash.
Concurrency:  one event loop; nothing waits between the look and the choice.
Spec:         "Service", Choosing your own IP address; "Service ClusterIP allocation": the lower part is left to those
              who choose.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.caller import Request
from jubako.cluster.apiserver.objects import stored
from jubako.cluster.store import AsyncStore
from jubako.cluster.types.document import Object, child, integer, mapping, objects, text
from jubako.cluster.types.served import Resource

NODE_PORTS = range(30000, 32768)
_FRESH = timedelta(seconds=2)
_TRIES = 200


class ServiceAddresses:
    """Hands out addresses of `network` and node ports; `services` is the resource."""

    def __init__(
        self, store: AsyncStore, services: Resource, network: IPv4Network, clock: Callable[[], datetime]
    ) -> None:
        self._store, self._services, self._network, self._clock = store, services, network, clock
        self._given: dict[str, tuple[str, datetime]] = {}

    def complete(self, request: Request, service: Object, old: Object | None) -> None:
        """Give a service what its type needs and it does not have, in place. Raises Failure (422)."""
        spec, kind = child(service, "spec"), text(mapping(service.get("spec")).get("type"))
        if kind == "ExternalName":
            for name in ("clusterIP", "clusterIPs"):
                spec.pop(name, None)
            _drop(spec, mapping(old.get("spec")) if old else {})
            return
        _keep(spec, mapping(old.get("spec")) if old else {})
        own = text(mapping(service["metadata"]).get("uid"))
        taken = set(self._taken(own))
        self._address(service, spec, taken, is_new=old is None)
        if kind in ("NodePort", "LoadBalancer"):
            self._ports(service, spec, taken)
        else:
            _drop(spec, mapping(old.get("spec")) if old else {})
        self._given |= dict.fromkeys(_held(spec), (own, self._clock()))

    def _address(self, service: Object, spec: Object, taken: set[str], *, is_new: bool) -> None:
        wanted = text(spec.get("clusterIP"))
        if not wanted:
            wanted = self._choose(taken)
        elif wanted != "None" and is_new:
            self._check_free(service, wanted, taken)
        spec["clusterIP"], spec["clusterIPs"] = wanted, [wanted]
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")

    def _choose(self, taken: set[str]) -> str:
        first, count = int(self._network.network_address), self._network.num_addresses
        lower = min(max(16, count // 16), 256)
        for _ in range(_TRIES):
            found = str(IPv4Address(first + random.randrange(lower, count - 1)))
            if found not in taken:
                return found
        for offset in range(2, count - 1):
            if (found := str(IPv4Address(first + offset))) not in taken:
                return found
        raise failures.failure(
            500, "InternalError", "Internal error occurred: failed to allocate a serviceIP: range is full"
        )

    def _check_free(self, service: Object, wanted: str, taken: set[str]) -> None:
        try:
            inside = IPv4Address(wanted) in self._network
        except ValueError:
            inside = False
        if wanted in taken or not inside:
            why = (
                "provided IP is already allocated"
                if inside
                else f"the provided IP is not in the valid range {self._network}"
            )
            raise _invalid(
                service, f'spec.clusterIPs: Invalid value: ["{wanted}"]: failed to allocate IP {wanted}: {why}'
            )

    def _ports(self, service: Object, spec: Object, taken: set[str]) -> None:
        for at, port in enumerate(objects(spec.get("ports"))):
            wanted = integer(port.get("nodePort"))
            key = f"{text(port.get('protocol'))}/{wanted}"
            if not wanted:
                key = self._port(text(port.get("protocol")), taken)
                port["nodePort"] = int(key.partition("/")[2])
            elif key in taken or wanted not in NODE_PORTS:
                valid = f"The range of valid ports is {NODE_PORTS[0]}-{NODE_PORTS[-1]}"
                outside = f"provided port is not in the valid range. {valid}"
                why = outside if wanted not in NODE_PORTS else "provided port is already allocated"
                raise _invalid(service, f"spec.ports[{at}].nodePort: Invalid value: {wanted}: {why}")
            taken.add(key)

    def _port(self, protocol: str, taken: set[str]) -> str:
        free = [number for number in NODE_PORTS if f"{protocol}/{number}" not in taken]
        if not free:
            raise failures.failure(500, "InternalError", "Internal error occurred: no node port is free")
        return f"{protocol}/{random.choice(free)}"

    def _taken(self, own: str) -> Iterator[str]:
        """Yield what other services have, and what was handed out just now."""
        since = self._clock() - _FRESH
        self._given = {name: given for name, given in self._given.items() if given[1] > since}
        yield from (name for name, given in self._given.items() if given[0] != own)
        for item in self._store.list(stored.prefix(self._services)).items:
            service = stored.decode(item)
            if text(mapping(service["metadata"]).get("uid")) != own:
                yield from _held(mapping(service.get("spec")))


def _held(spec: Object) -> Iterator[str]:
    if text(spec.get("clusterIP")) != "None":
        yield text(spec.get("clusterIP"))
    for port in objects(spec.get("ports")):
        if port.get("nodePort"):
            yield f"{text(port.get('protocol'))}/{integer(port.get('nodePort'))}"


def _drop(spec: Object, before: Object) -> None:
    """What a service had for being reached from outside goes with its type; what a client sets now is judged."""
    held = {integer(each.get("port")): each.get("nodePort") for each in objects(before.get("ports"))}
    for port in objects(spec.get("ports")):
        if port.get("nodePort") == held.get(integer(port.get("port"))):
            port.pop("nodePort", None)
    for name in ("externalTrafficPolicy", "healthCheckNodePort", "allocateLoadBalancerNodePorts"):
        if name in before and spec.get(name) == before[name]:
            del spec[name]


def _keep(spec: Object, before: Object) -> None:
    """An update that leaves out what was allocated keeps it."""
    for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"):
        if not spec.get(name) and before.get(name):
            spec[name] = before[name]
    held = {integer(each.get("port")): each.get("nodePort") for each in objects(before.get("ports"))}
    for port in objects(spec.get("ports")):
        known = held.get(integer(port.get("port")))
        if known and not port.get("nodePort"):
            port["nodePort"] = known


def _invalid(service: Object, why: str) -> failures.Failure:
    name = text(mapping(service["metadata"]).get("name"))
    return failures.failure(422, "Invalid", f'Service "{name}" is invalid: {why}')
