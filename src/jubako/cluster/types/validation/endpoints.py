"""Checks of the addresses behind services: Endpoints and EndpointSlices."""

from __future__ import annotations

import ipaddress

from jubako.cluster.types.document import JSON, Object, array, integer, objects, text
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.fields import reachable, required
from jubako.cluster.types.validation.names import dns_label, dns_subdomain, ip_address, port_number

_MOST_ENDPOINTS, _MOST_PORTS, _MOST_ADDRESSES = 1000, 20000, 100


def endpoints(errors: Errors, document: Object) -> None:
    for n, subset in enumerate(objects(document.get("subsets"))):
        where = f"subsets[{n}]"
        if not array(subset.get("addresses")) and not array(subset.get("notReadyAddresses")):
            errors.required(where, "must specify `addresses` or `notReadyAddresses`")
        for name in ("addresses", "notReadyAddresses"):
            for m, address in enumerate(objects(subset.get(name))):
                _endpoint_address(errors, f"{where}.{name}[{m}]", address)
        ports = objects(subset.get("ports"))
        for m, port in enumerate(ports):
            _endpoint_port(errors, f"{where}.ports[{m}]", port, len(ports) > 1)


def _endpoint_address(errors: Errors, path: str, address: Object) -> None:
    value = text(address.get("ip"))
    problems = ip_address(value)
    errors.invalid_each(f"{path}.ip", value, problems)
    if not problems:
        reachable(errors, f"{path}.ip", value)
    if name := text(address.get("hostname")):
        errors.invalid_each(f"{path}.hostname", name, dns_label(name))


def _endpoint_port(errors: Errors, path: str, port: Object, needs_name: bool) -> None:
    name, number = text(port.get("name")), integer(port.get("port"))
    if name:
        errors.invalid_each(f"{path}.name", name, dns_label(name))
    elif needs_name:
        errors.required(f"{path}.name")
    errors.invalid_each(f"{path}.port", number, port_number(number))
    required(errors, path, port, "protocol")


def endpoint_slice(errors: Errors, document: Object) -> None:
    kind, found, ports = (
        text(document.get("addressType")),
        objects(document.get("endpoints")),
        objects(document.get("ports")),
    )
    if not kind:
        errors.required("addressType")
    if len(found) > _MOST_ENDPOINTS:
        errors.too_many("endpoints", len(found), _MOST_ENDPOINTS)
    if len(ports) > _MOST_PORTS:
        errors.too_many("ports", len(ports), _MOST_PORTS)
    for n, endpoint in enumerate(found):
        _endpoint(errors, f"endpoints[{n}]", endpoint, kind)
    names: set[JSON] = set()
    for n, port in enumerate(ports):
        if (name := port.get("name")) and name not in names:
            errors.invalid_each(f"ports[{n}].name", name, dns_label(text(name)))
        elif name in names:
            errors.duplicate(f"ports[{n}].name", name)
        names.add(name)


def _endpoint(errors: Errors, path: str, endpoint: Object, kind: str) -> None:
    addresses = array(endpoint.get("addresses"))
    if not addresses:
        errors.required(f"{path}.addresses", "must contain at least 1 address")
    elif len(addresses) > _MOST_ADDRESSES:
        errors.too_many(f"{path}.addresses", len(addresses), _MOST_ADDRESSES)
    for n, address in enumerate(addresses):
        where, value = f"{path}.addresses[{n}]", text(address)
        if kind == "FQDN":
            errors.invalid_each(where, value, dns_subdomain(value))
        elif problems := ip_address(value):
            errors.invalid_each(where, value, problems)
        elif ipaddress.ip_address(value).version != {"IPv4": 4, "IPv6": 6}.get(kind):
            errors.invalid(where, value, f"must be a valid {kind} address")
    if name := text(endpoint.get("hostname")):
        errors.invalid_each(f"{path}.hostname", name, dns_label(name))


def endpoint_slice_update(errors: Errors, document: Object, old: Object) -> None:
    errors.unchanged("addressType", document.get("addressType"), old.get("addressType"))
