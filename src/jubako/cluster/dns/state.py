"""Services, endpoints and pods -> what the name server has to know of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from jubako.cluster.controllers.kinds import Key
from jubako.cluster.dns.known import Member, Named, NamedPort
from jubako.cluster.objects import Object, at, name, namespace, number, objects, text, words
from jubako.cluster.proxy.ports import by_service, is_address


def services(documents: Iterable[Object], slices: Iterable[Object]) -> tuple[Named, ...]:
    behind = by_service(slices)
    found = (_named(each, behind.get(Key(namespace(each), name(each)), ())) for each in documents)
    return tuple(sorted((each for each in found if each), key=lambda each: (each.namespace, each.name)))


def pods(documents: Iterable[Object]) -> tuple[tuple[str, str], ...]:
    found = ((namespace(each), text(each, "status", "podIP")) for each in documents)
    return tuple(sorted(each for each in found if is_address(each[1])))


def _named(service: Object, slices: Sequence[Object]) -> Named | None:
    where, who, address = namespace(service), name(service), text(service, "spec", "clusterIP")
    if text(service, "spec", "type") == "ExternalName":
        return Named(where, who, alias=text(service, "spec", "externalName").rstrip(".").lower())
    if address == "None":
        return Named(where, who, members=tuple(sorted(set(_members(slices)), key=lambda each: each.address)))
    if not is_address(address):
        return None
    return Named(where, who, address=address, ports=tuple(_ports(objects(service, "spec", "ports"))))


def _members(slices: Sequence[Object]) -> Iterator[Member]:
    for each in slices:
        ports = tuple(_ports(objects(each, "ports")))
        for endpoint in objects(each, "endpoints"):
            if at(endpoint, "conditions", "ready") is not False:
                for address in filter(is_address, words(endpoint, "addresses")):
                    yield Member(address, text(endpoint, "hostname"), ports)


def _ports(ports: Sequence[Object]) -> Iterator[NamedPort]:
    return (
        NamedPort(text(port, "name"), (text(port, "protocol") or "TCP").lower(), number(port, "port")) for port in ports
    )
