"""What the path of a proxy names -> a pod, and a port of it. Ready endpoints stand for a service."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.attributes import Attributes
from jubako.cluster.apiserver.objects import reading, stored
from jubako.cluster.store import AsyncStore
from jubako.cluster.types.document import Object, at, integer, objects, text
from jubako.cluster.types.resources import core

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Target(msgspec.Struct, frozen=True, kw_only=True):
    pod: Object
    port: int
    scheme: str = "http"

    @property
    def is_default_port(self) -> bool:
        return self.port == _DEFAULT_PORTS[self.scheme]


class _Named(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    scheme: str
    port: str


def target(store: AsyncStore, asked: Attributes) -> Target:
    """Raises Failure (400, 404, 503)."""
    named = _named(asked)
    find = _pod if asked.resource.plural == "pods" else _service
    return find(store, asked, named)


def _named(asked: Attributes) -> _Named:
    parts = asked.name.split(":")
    scheme, name, port = {1: ["", *parts, ""], 2: ["", *parts], 3: parts}.get(len(parts), ["", "", ""])
    if not name or scheme not in ("", *_DEFAULT_PORTS):
        raise failures.bad_request(f'invalid {asked.resource.singular} request "{asked.name}"')
    return _Named(name=name, scheme=scheme or "http", port=port)


def _pod(store: AsyncStore, asked: Attributes, named: _Named) -> Target:
    pod = _get(store, "pods", asked.namespace, named.name)
    if not at(pod, "status", "podIP"):
        raise failures.bad_request("address not allowed")
    port = named.port or next(_container_ports(pod), "") or str(_DEFAULT_PORTS[named.scheme])
    if (number := _number(port)) is None or not 0 < number < 1 << 16:
        raise unreachable(f"dial tcp: lookup tcp/{port}: unknown port")
    return Target(pod=pod, port=number, scheme=named.scheme)


def _container_ports(pod: Object) -> Iterator[str]:
    for container in objects(at(pod, "spec", "containers")):
        for port in objects(container.get("ports")):
            yield str(integer(port.get("containerPort")))


def _service(store: AsyncStore, asked: Attributes, named: _Named) -> Target:
    port = _port_name(store, asked, named)
    endpoints = _get(store, "endpoints", asked.namespace, named.name)
    subsets = objects(endpoints.get("subsets"))
    found = list(_endpoints(subsets, port))
    for address, number in random.sample(found, len(found)):
        if pod := _pod_at(store, asked.namespace, address):
            return Target(pod=pod, port=number, scheme=named.scheme)
    told = asked.name if subsets else named.name
    raise _unavailable(f'no endpoints available for service "{told}"')


def _port_name(store: AsyncStore, asked: Attributes, named: _Named) -> str:
    """The name of the port of the service that a number stands for; endpoints know names alone."""
    number = _number(named.port)
    if number is None:
        return named.port
    service = _get(store, "services", asked.namespace, named.name)
    for port in objects(at(service, "spec", "ports")):
        if integer(port.get("port")) == number:
            return text(port.get("name"))
    raise _unavailable(f'no service port {number} found for service "{named.name}"')


def _endpoints(subsets: list[Object], port_name: str) -> Iterator[tuple[Object, int]]:
    for subset in subsets:
        for port in objects(subset.get("ports")):
            if text(port.get("name")) == port_name:
                for address in objects(subset.get("addresses")):
                    yield address, integer(port.get("port"))


def _pod_at(store: AsyncStore, namespace: str, address: Object) -> Object | None:
    """The pod that an endpoint says it is, if it has that address: endpoints can be written by their users."""
    if at(address, "targetRef", "kind") != "Pod" or text(at(address, "targetRef", "namespace")) not in ("", namespace):
        return None
    try:
        pod = _get(store, "pods", namespace, text(at(address, "targetRef", "name")))
    except failures.Failure:
        return None
    return pod if at(pod, "status", "podIP") == address.get("ip") else None


def _get(store: AsyncStore, plural: str, namespace: str, name: str) -> Object:
    return stored.decode(reading.get(store, core(plural), namespace, name))


def _number(port: str) -> int | None:
    return int(port) if port.isascii() and port.isdigit() and len(port) <= 9 else None


def unreachable(why: str) -> failures.Failure:
    return _unavailable(f"error trying to reach service: {why}")


def _unavailable(message: str) -> failures.Failure:
    return failures.failure(503, "ServiceUnavailable", message)
