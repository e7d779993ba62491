"""Checks of Ingresses and their classes."""

from __future__ import annotations

from jubako.cluster.types.document import Object, integer, mapping, objects, text
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.fields import no_backsteps, required
from jubako.cluster.types.validation.names import dns1035_label, dns_subdomain, port_number

_WILD = "*."


def ingress(errors: Errors, document: Object) -> None:
    spec = mapping(document.get("spec"))
    backend, rules = spec.get("defaultBackend"), objects(spec.get("rules"))
    if backend is None and not rules:
        errors.invalid("spec", spec, "either `defaultBackend` or `rules` must be specified")
    if backend is not None:
        _backend(errors, "spec.defaultBackend", mapping(backend))
    for n, rule in enumerate(rules):
        where, host = f"spec.rules[{n}]", text(rule.get("host"))
        if host:
            errors.invalid_each(f"{where}.host", host, dns_subdomain(host.removeprefix(_WILD)))
        _paths(errors, f"{where}.http", rule)
    if name := text(spec.get("ingressClassName")):
        errors.invalid_each("spec.ingressClassName", name, dns_subdomain(name))


def _paths(errors: Errors, path: str, rule: Object) -> None:
    if rule.get("http") is None:
        return
    paths = objects(mapping(rule["http"]).get("paths"))
    if not paths:
        errors.required(f"{path}.paths")
    for n, each in enumerate(paths):
        where, kind, wanted = f"{path}.paths[{n}]", each.get("pathType"), text(each.get("path"))
        if not kind:
            errors.required(f"{where}.pathType", "pathType must be specified")
        elif kind != "ImplementationSpecific" or wanted:
            if not wanted.startswith("/"):
                errors.invalid(f"{where}.path", wanted, "must be an absolute path")
            no_backsteps(errors, f"{where}.path", wanted)
        _backend(errors, f"{where}.backend", mapping(each.get("backend")))


def _backend(errors: Errors, path: str, backend: Object) -> None:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        errors.invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        required(errors, f"{path}.resource", mapping(resource), "kind", "name")
    elif service is None:
        errors.required(path, "either resource or service backend must be specified")
    else:
        _service(errors, f"{path}.service", mapping(service))


def _service(errors: Errors, path: str, service: Object) -> None:
    if name := text(service.get("name")):
        errors.invalid_each(f"{path}.name", name, dns1035_label(name))
    else:
        errors.required(f"{path}.name")
    port = mapping(service.get("port"))
    if port.get("name") and port.get("number"):
        errors.invalid(path, "", "cannot set both port name & port number")
    elif not port.get("name") and not port.get("number"):
        errors.required(path, "port name or number is required")
    elif number := integer(port.get("number")):
        errors.invalid_each(f"{path}.port.number", number, port_number(number))


def ingress_class(errors: Errors, document: Object) -> None:
    spec = mapping(document.get("spec"))
    required(errors, "spec", spec, "controller")
    if spec.get("parameters") is not None:
        required(errors, "spec.parameters", mapping(spec["parameters"]), "kind", "name", "scope")


def ingress_class_update(errors: Errors, document: Object, old: Object) -> None:
    new, was = (mapping(each.get("spec")).get("controller") for each in (document, old))
    errors.unchanged("spec.controller", new, was)
