"""Services and endpoints -> what there is to forward.

Model:  a port of a service has frontends (its addresses, and perhaps a port of the node) and targets. Targets are the
        ready endpoints; where there is none, those that still serve while they end, so that nothing is refused that
        somebody could answer.
Spec:   core/v1 ServiceSpec; discovery/v1 EndpointConditions; KEP-1669 "Proxy Terminating Endpoints".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address
from typing import NamedTuple

import msgspec

from jubako.cluster.controllers.kinds import Key
from jubako.cluster.objects import Object, at, labels, name, namespace, number, objects, text, words

SERVICE_NAME = "kubernetes.io/service-name"
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_AFFINITY_S = 10800


class Target(NamedTuple):
    address: str
    port: int


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """One port of a service. `affinity_s` is how long a client keeps its target, 0 where it does not; `ending` says
    that the targets are on their way out, and nobody else is there."""

    name: str
    protocol: str
    number: int
    addresses: tuple[str, ...] = ()
    node_port: int = 0
    targets: tuple[Target, ...] = ()
    affinity_s: int = 0
    ending: bool = False


def ports(services: Iterable[Object], slices: Iterable[Object], own: Mapping[Target, Target]) -> list[Port]:
    """Return what there is to forward, in a stable order. `own` are listeners of this machine: where they are said to
    be, and where they are."""
    behind = by_service(slices)
    found = [port for service in services for port in _of_service(service, behind.get(_key(service), []), own)]
    found += [_direct(told, real, protocol) for told, real in own.items() for protocol in ("tcp", "udp")]
    return sorted(found, key=lambda port: port.name)


def by_service(slices: Iterable[Object]) -> dict[Key, list[Object]]:
    """The slices of each service."""
    behind: dict[Key, list[Object]] = {}
    for each in slices:
        behind.setdefault(Key(namespace(each), labels(each).get(SERVICE_NAME, "")), []).append(each)
    return behind


def _key(service: Object) -> Key:
    return Key(namespace(service), name(service))


def _direct(told: Target, real: Target, protocol: str) -> Port:
    """Who takes the address of a listener of ours from its endpoints finds it as well."""
    named = f"own/{told.address}/{protocol}/{told.port}"
    return Port(name=named, protocol=protocol, number=told.port, addresses=(told.address,), targets=(real,))


def _of_service(service: Object, slices: Sequence[Object], own: Mapping[Target, Target]) -> Iterator[Port]:
    cluster = text(service, "spec", "clusterIP")
    if not is_address(cluster):
        return
    balanced = [text(each, "ip") for each in objects(service, "status", "loadBalancer", "ingress")]
    further = [each for each in (*words(service, "spec", "externalIPs"), *balanced) if is_address(each)]
    for port in objects(service, "spec", "ports"):
        protocol = text(port, "protocol") or "TCP"
        if protocol in _PROTOCOLS:
            found, ending = _targets(slices, text(port, "name"))
            targets = {own.get(each, each) for each in found}
            yield Port(
                name=f"{namespace(service)}/{name(service)}/{protocol.lower()}/{number(port, 'port')}",
                protocol=protocol.lower(),
                number=number(port, "port"),
                addresses=tuple(dict.fromkeys((cluster, *further))),
                node_port=number(port, "nodePort"),
                targets=tuple(sorted(targets)),
                affinity_s=_affinity_s(service),
                ending=ending,
            )


def _affinity_s(service: Object) -> int:
    if text(service, "spec", "sessionAffinity") != "ClientIP":
        return 0
    return number(service, "spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds", absent=_AFFINITY_S)


def _targets(slices: Sequence[Object], port_name: str) -> tuple[list[Target], bool]:
    found = list(_endpoints(slices, port_name))
    ready = [target for endpoint, target in found if at(endpoint, "conditions", "ready") is not False]
    ending = [target for endpoint, target in found if _serves_while_it_ends(endpoint)]
    return (ready, False) if ready else (ending, bool(ending))


def _serves_while_it_ends(endpoint: Object) -> bool:
    conditions = at(endpoint, "conditions")
    return at(conditions, "serving") is True and at(conditions, "terminating") is True


def _endpoints(slices: Sequence[Object], port_name: str) -> Iterator[tuple[Object, Target]]:
    for each in slices:
        for port in objects(each, "ports"):
            if text(port, "name") == port_name:
                for endpoint in objects(each, "endpoints"):
                    for address in filter(is_address, words(endpoint, "addresses")):
                        yield endpoint, Target(address, number(port, "port"))


def is_address(value: str) -> bool:
    """Only what is an address comes into the rules, and nobody's own: a Service is no way to a listener on loopback."""
    try:
        address = IPv4Address(value)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified)
