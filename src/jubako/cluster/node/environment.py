"""The variables of a container, from all sources.

Model:  services of the namespace first, then envFrom, then env, each in order; a later one wins. `$(NAME)` in values,
        commands and arguments is replaced by what stands before; `$$(NAME)` is `$(NAME)`.
Spec:   core/v1 EnvVar, EnvFromSource; "Define Dependent Environment Variables"; "Service", environment variables.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import msgspec

from jubako.cluster.types.document import Object, at, integer, mapping, objects, strings, text
from jubako.cluster.types.quantity import Quantity

_REFERENCE = re.compile(r"\$\$|\$\(([^)]*)\)")
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")

_LIMITED = ("cpu", "memory", "ephemeral-storage")

Lookup: TypeAlias = "Callable[[Literal['ConfigMap', 'Secret'], str], Object | None]"
"""Finds a ConfigMap or Secret of the pod's namespace by name."""


class Missing(Exception):
    """Something that a container needs is not there; the text says what, in Kubernetes' words."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What fieldRef and resourceFieldRef can ask for, beside the pod's document."""

    address: str = ""
    host: str = ""
    node: str = ""
    allocatable: Mapping[str, str] = {}
    """What containers without a limit can have at most."""


def environment(
    pod: Object, container: Object, look: Lookup, facts: Facts, services: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables in their order. Raises Missing."""
    found = dict(services)
    for source in objects(container.get("envFrom")):
        found |= _all_of(pod, source, look)
    for each in objects(container.get("env")):
        value = _value(pod, container, each, look, facts, found)
        if value is not None:
            found[text(each.get("name"))] = value
    return found


def expanded(value: str, known: Mapping[str, str]) -> str:
    """Replace $(NAME) by what is known; what is not known stays as it is."""

    def replace(match: re.Match[str]) -> str:
        if match.group(0) == "$$":
            return "$"
        return known.get(match.group(1), match.group(0))

    return _REFERENCE.sub(replace, value)


def expanded_fully(value: str, known: Mapping[str, str]) -> str:
    """As `expanded`; raises Missing for what is not known."""
    for match in _REFERENCE.finditer(value):
        if match.group(0) != "$$" and match.group(1) not in known:
            raise Missing(f'missing value for "{match.group(1)}"')
    return expanded(value, known)


def _all_of(pod: Object, source: Object, look: Lookup) -> dict[str, str]:
    prefix = text(source.get("prefix"))
    for kind, field in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
        reference = mapping(source.get(field))
        if reference:
            document = _required(pod, kind, reference, look)
            entries = entries_of(document) if document else {}
            named = {prefix + name: value.decode("utf-8", "replace") for name, value in entries.items()}
            return {name: value for name, value in named.items() if _VARIABLE.fullmatch(name)}
    return {}


def _value(
    pod: Object, container: Object, each: Object, look: Lookup, facts: Facts, known: Mapping[str, str]
) -> str | None:
    source = mapping(each.get("valueFrom"))
    if not source:
        return expanded(text(each.get("value")), known)
    for kind, field in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
        if reference := mapping(source.get(field)):
            return _entry(pod, kind, reference, look)
    if reference := mapping(source.get("fieldRef")):
        return field_of(pod, text(reference.get("fieldPath")), facts)
    if reference := mapping(source.get("resourceFieldRef")):
        return resource_of(container, text(reference.get("resource")), text(reference.get("divisor")), facts)
    return None


def _entry(pod: Object, kind: str, reference: Object, look: Lookup) -> str | None:
    document = _required(pod, kind, reference, look)
    entries = entries_of(document) if document else {}
    key = text(reference.get("key"))
    if key not in entries:
        if reference.get("optional"):
            return None
        where = f"{_namespace(pod)}/{text(reference.get('name'))}"
        raise Missing(f"couldn't find key {key} in {kind} {where}")
    return entries[key].decode("utf-8", "replace")


def _required(pod: Object, kind: str, reference: Object, look: Lookup) -> Object | None:
    name = text(reference.get("name"))
    document = look("ConfigMap" if kind == "ConfigMap" else "Secret", name)
    if document is None and not reference.get("optional"):
        raise Missing(f'{kind.lower()} "{name}" not found')
    return document


def entries_of(document: Object) -> dict[str, bytes]:
    """Return the entries of a ConfigMap or Secret as bytes."""
    if document.get("kind") == "Secret":
        return {name: base64.b64decode(value) for name, value in strings(document.get("data")).items()}
    plain = {name: value.encode() for name, value in strings(document.get("data")).items()}
    return plain | {name: base64.b64decode(value) for name, value in strings(document.get("binaryData")).items()}


def field_of(pod: Object, path: str, facts: Facts) -> str:
    """Return a field of a pod as fieldRef names it. Raises Missing."""
    known = {
        "status.podIP": facts.address, "status.podIPs": facts.address, "status.hostIP": facts.host,
        "status.hostIPs": facts.host, "spec.nodeName": facts.node,
    }  # fmt: skip
    if path in known:
        return known[path]
    if match := re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path):
        return text(at(pod, "metadata", match.group(1), match.group(2)))
    if path in ("metadata.labels", "metadata.annotations"):
        held = strings(at(pod, *path.split(".")))
        return "\n".join(f"{name}={msgspec.json.encode(value).decode()}" for name, value in sorted(held.items()))
    if path in ("metadata.name", "metadata.namespace", "metadata.uid", "spec.serviceAccountName"):
        return text(at(pod, *path.split(".")))
    raise Missing(f"unsupported fieldPath: {path}")


def resource_of(container: Object, name: str, divisor: str, facts: Facts) -> str:
    """Return a limit or request as a whole number of divisors. Raises Missing."""
    kind, _, resource = name.partition(".")
    held = text(at(container, "resources", kind, resource))
    if kind not in ("limits", "requests"):
        raise Missing(f"unsupported container resource : {name}")
    if kind == "limits" and held in ("", "0") and resource in _LIMITED:
        held = facts.allocatable.get(resource, "")
    unit = Quantity.parse(divisor if divisor not in ("", "0") else "1").nanos
    return str(-(-Quantity.parse(held or "0").nanos // unit))


def of_services(services: list[Object]) -> dict[str, str]:
    """Return the variables that tell of services: NAME_SERVICE_HOST, NAME_SERVICE_PORT and the ones of links."""
    found: dict[str, str] = {}
    for service in services:
        address = text(at(service, "spec", "clusterIP"))
        ports = objects(at(service, "spec", "ports"))
        if address in ("", "None") or not ports:
            continue
        name = text(at(service, "metadata", "name")).upper().replace("-", "_")
        found[f"{name}_SERVICE_HOST"] = address
        found[f"{name}_SERVICE_PORT"] = str(integer(ports[0].get("port")))
        for port in ports:
            found |= _link(name, address, port)
        found[f"{name}_PORT"] = found[f"{name}_PORT_{integer(ports[0].get('port'))}_{_protocol(ports[0]).upper()}"]
    return found


def _link(name: str, address: str, port: Object) -> dict[str, str]:
    number, protocol = str(integer(port.get("port"))), _protocol(port)
    beginning = f"{name}_PORT_{number}_{protocol.upper()}"
    found = {
        beginning: f"{protocol}://{address}:{number}",
        f"{beginning}_PROTO": protocol,
        f"{beginning}_PORT": number,
        f"{beginning}_ADDR": address,
    }
    if label := text(port.get("name")):
        found[f"{name}_SERVICE_PORT_{label.upper().replace('-', '_')}"] = number
    return found


def _protocol(port: Object) -> str:
    return (text(port.get("protocol")) or "TCP").lower()


def _namespace(pod: Object) -> str:
    return text(at(pod, "metadata", "namespace"))
