"""Containers of a pod: those that initialise it, those that run, and those that join later."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from jubako.cluster.types.document import JSON, Object, integer, mapping, objects, text
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.fields import required, unique
from jubako.cluster.types.validation.names import dns_label, ip_address, port_name, port_number
from jubako.cluster.types.validation.pods import environment, mounts, probes, resources, security

Sort = Literal["containers", "initContainers", "ephemeralContainers"]
_SORTS: tuple[Sort, ...] = ("containers", "initContainers", "ephemeralContainers")
_EPHEMERAL_FORBIDDEN = ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resizePolicy")


def check_all(errors: Errors, path: str, spec: Object, mountable: Collection[str]) -> None:
    """Check the containers of a pod; `mountable` are the names of its volumes."""
    if not objects(spec.get("containers")):
        errors.required(f"{path}.containers")
    _targets(errors, path, spec)
    names: list[tuple[str, str]] = []
    host_ports: list[tuple[str, str]] = []
    for sort in _SORTS:
        for n, container in enumerate(objects(spec.get(sort))):
            where = f"{path}.{sort}[{n}]"
            names.append((f"{where}.name", text(container.get("name"))))
            _check(errors, where, container, sort, mountable)
            if sort == "containers":
                host_ports += _host_ports(where, container)
            if spec.get("hostNetwork"):
                _on_the_host(errors, where, container)
    unique(errors, names)
    unique(errors, host_ports)


def _check(errors: Errors, path: str, container: Object, sort: Sort, mountable: Collection[str]) -> None:
    name, image = text(container.get("name")), text(container.get("image"))
    if name:
        errors.invalid_each(f"{path}.name", name, dns_label(name))
    else:
        errors.required(f"{path}.name")
    if not image:
        errors.required(f"{path}.image")
    elif image != image.strip():
        errors.invalid(f"{path}.image", image, "must not have leading or trailing whitespace")
    required(errors, path, container, "terminationMessagePolicy")
    _of_its_sort(errors, path, container, sort)
    _ports(errors, f"{path}.ports", objects(container.get("ports")))
    environment.check(errors, path, container)
    mounts.check(errors, path, container, mountable)
    probes.check(errors, path, container)
    resources.check(errors, f"{path}.resources", mapping(container.get("resources")))
    security.check_container(errors, f"{path}.securityContext", mapping(container.get("securityContext")))


def _of_its_sort(errors: Errors, path: str, container: Object, sort: Sort) -> None:
    policy = container.get("restartPolicy")
    if sort == "containers" and policy:
        errors.forbidden(f"{path}.restartPolicy", "may not be set for non-init containers")
    if sort == "initContainers" and policy != "Always":
        for name in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
            if container.get(name):
                errors.forbidden(f"{path}.{name}", "may not be set for init containers without restartPolicy=Always")
    if sort == "ephemeralContainers":
        for name in _EPHEMERAL_FORBIDDEN:
            if container.get(name):
                errors.forbidden(f"{path}.{name}", "cannot be set for an Ephemeral Container")


def _targets(errors: Errors, path: str, spec: Object) -> None:
    """What an ephemeral container wants to look into is one of the pod's own."""
    own = [text(each.get("name")) for sort in ("containers", "initContainers") for each in objects(spec.get(sort))]
    for n, container in enumerate(objects(spec.get("ephemeralContainers"))):
        target = text(container.get("targetContainerName"))
        if target and target not in own:
            errors.not_found(f"{path}.ephemeralContainers[{n}].targetContainerName", target)


def _ports(errors: Errors, path: str, ports: list[Object]) -> None:
    unique(errors, ((f"{path}[{n}].name", text(port.get("name"))) for n, port in enumerate(ports)))
    for n, port in enumerate(ports):
        where = f"{path}[{n}]"
        if name := text(port.get("name")):
            errors.invalid_each(f"{where}.name", name, port_name(name))
        number: JSON = port.get("containerPort")
        if not number:
            errors.required(f"{where}.containerPort")
        else:
            errors.invalid_each(f"{where}.containerPort", number, port_number(integer(number)))
        if host := integer(port.get("hostPort")):
            errors.invalid_each(f"{where}.hostPort", host, port_number(host))
        if address := text(port.get("hostIP")):
            errors.invalid_each(f"{where}.hostIP", address, ip_address(address))
        required(errors, where, port, "protocol")


def _host_ports(path: str, container: Object) -> list[tuple[str, str]]:
    found = []
    for n, port in enumerate(objects(container.get("ports"))):
        if host := integer(port.get("hostPort")):
            key = f"{text(port.get('protocol'))}/{text(port.get('hostIP'))}/{host}"
            found.append((f"{path}.ports[{n}].hostPort", key))
    return found


def _on_the_host(errors: Errors, path: str, container: Object) -> None:
    for n, port in enumerate(objects(container.get("ports"))):
        if port.get("hostPort") and port.get("hostPort") != port.get("containerPort"):
            detail = "must match `hostPort` when `hostNetwork` is true"
            errors.invalid(f"{path}.ports[{n}].containerPort", port.get("containerPort"), detail)
