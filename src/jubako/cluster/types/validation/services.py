"""Checks of services."""

from __future__ import annotations

from jubako.cluster.types.document import Object, array, integer, mapping, objects, text
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.fields import between, port_or_name, reachable, required
from jubako.cluster.types.validation.metadata import check_labels
from jubako.cluster.types.validation.names import dns_label, dns_subdomain, ip_address, port_number

_WITH_ADDRESS = ("ClusterIP", "NodePort", "LoadBalancer")
_MOST_AFFINITY_S = 86400


def service(errors: Errors, document: Object) -> None:
    spec = mapping(document.get("spec"))
    kind = text(spec.get("type"))
    headless = spec.get("clusterIP") == "None"
    required(errors, "spec", spec, "type", "sessionAffinity")
    if not objects(spec.get("ports")) and not headless and kind != "ExternalName":
        errors.required("spec.ports")
    if kind == "ExternalName":
        _external_name(errors, spec)
    elif headless and kind != "ClusterIP":
        errors.invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")
    _ports(errors, "spec.ports", objects(spec.get("ports")), kind)
    check_labels(errors, "spec.selector", spec.get("selector"))
    _addresses(errors, spec)
    _affinity(errors, spec)
    _policies(errors, spec, kind)


def _external_name(errors: Errors, spec: Object) -> None:
    name = text(spec.get("externalName"))
    if not name:
        errors.required("spec.externalName")
    else:
        errors.invalid_each("spec.externalName", name, dns_subdomain(name.removesuffix(".")))
    if array(spec.get("clusterIPs")):
        errors.forbidden("spec.clusterIPs", "may not be set when `type` is 'ExternalName'")


def _ports(errors: Errors, path: str, ports: list[Object], kind: str) -> None:
    names: set[str] = set()
    seen: set[tuple[str, int]] = set()
    nodes: set[tuple[str, int]] = set()
    for n, port in enumerate(ports):
        where, name, number = f"{path}[{n}]", text(port.get("name")), integer(port.get("port"))
        if name:
            errors.invalid_each(f"{where}.name", name, dns_label(name))
        elif len(ports) > 1:
            errors.required(f"{where}.name")
        if name and name in names:
            errors.duplicate(f"{where}.name", name)
        names.add(name)
        errors.invalid_each(f"{where}.port", number, port_number(number))
        required(errors, where, port, "protocol")
        port_or_name(errors, f"{where}.targetPort", port.get("targetPort"))
        protocol = text(port.get("protocol"))
        if (protocol, number) in seen:
            errors.duplicate(where, {"protocol": protocol, "port": number})
        seen.add((protocol, number))
        _node_port(errors, where, port, kind, nodes)


def _node_port(errors: Errors, path: str, port: Object, kind: str, seen: set[tuple[str, int]]) -> None:
    number = integer(port.get("nodePort"))
    if not number:
        return
    key = (text(port.get("protocol")), number)
    if kind not in ("NodePort", "LoadBalancer"):
        errors.forbidden(f"{path}.nodePort", f"may not be used when `type` is '{kind}'")
    elif key in seen:
        errors.duplicate(f"{path}.nodePort", number)
    seen.add(key)


def _addresses(errors: Errors, spec: Object) -> None:
    addresses, first = array(spec.get("clusterIPs")), text(spec.get("clusterIP"))
    if addresses and first != addresses[0]:
        errors.invalid("spec.clusterIPs", addresses, "first value must match `clusterIP`")
    for n, address in enumerate(addresses or ([first] if first else [])):
        if address != "None":
            errors.invalid_each(f"spec.clusterIPs[{n}]", address, ip_address(text(address)))
        elif len(addresses) > 1:
            errors.invalid(f"spec.clusterIPs[{n}]", address, "'None' must be the first and only value")
    for n, address in enumerate(array(spec.get("externalIPs"))):
        where, problems = f"spec.externalIPs[{n}]", ip_address(text(address))
        errors.invalid_each(where, address, problems)
        if not problems:
            reachable(errors, where, text(address))


def _affinity(errors: Errors, spec: Object) -> None:
    client = mapping(mapping(spec.get("sessionAffinityConfig")).get("clientIP"))
    seconds = client.get("timeoutSeconds")
    where = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
    if spec.get("sessionAffinity") == "ClientIP":
        between(errors, where, seconds if seconds is not None else 0, 1, _MOST_AFFINITY_S)
    elif spec.get("sessionAffinityConfig") is not None:
        detail = f"must not be set when session affinity is {text(spec.get('sessionAffinity'))}"
        errors.forbidden("spec.sessionAffinityConfig", detail)


def _policies(errors: Errors, spec: Object, kind: str) -> None:
    policy = spec.get("externalTrafficPolicy")
    outside = kind in ("NodePort", "LoadBalancer") or bool(spec.get("externalIPs"))
    if policy and not outside:
        errors.invalid("spec.externalTrafficPolicy", policy, "may only be set for externally-accessible services")
    if spec.get("healthCheckNodePort") and not (kind == "LoadBalancer" and policy == "Local"):
        detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        errors.invalid("spec.healthCheckNodePort", spec.get("healthCheckNodePort"), detail)
    if kind != "LoadBalancer":
        for name in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
            if spec.get(name) is not None:
                errors.forbidden(f"spec.{name}", "may only be used when `type` is 'LoadBalancer'")


def service_update(errors: Errors, document: Object, old: Object) -> None:
    """An address stays while the service has one; only to and from ExternalName it comes and goes."""
    spec, was = mapping(document.get("spec")), mapping(old.get("spec"))
    if spec.get("type") not in _WITH_ADDRESS or was.get("type") not in _WITH_ADDRESS:
        return
    before, after = array(was.get("clusterIPs")), array(spec.get("clusterIPs"))
    if before and (not after or before[0] != after[0]):
        detail = "may not change once set" if after else "primary clusterIP can not be unset"
        errors.invalid("spec.clusterIPs[0]", after, detail)
