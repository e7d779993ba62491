"""What is to be told of the containers of a pod."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jubako.cluster.types.document import Object, at, mapping, objects, strings, text
from jubako.cluster.types.quantity import Quantity

_WHOLE = ("memory", "ephemeral-storage")
_POD_SECCOMP, _SECCOMP = "seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/"
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_GROUPS = ("initContainers", "containers", "ephemeralContainers")


def of_containers(path: str, spec: Object, annotations: Mapping[str, str]) -> Iterator[str]:
    """`path` is where the pod or template stands, with a dot at its end."""
    whole = mapping(spec.get("securityContext"))
    yield from _of_amounts(f"{path}spec.overhead", strings(spec.get("overhead")))
    if _POD_SECCOMP in annotations and not whole.get("seccompProfile"):
        yield _annotation(path, _POD_SECCOMP, 'non-functional in v1.27+; use the "seccompProfile" field instead')
    for where, container in _all(f"{path}spec", spec):
        name, own = text(container.get("name")), mapping(container.get("securityContext"))
        if (key := f"{_SECCOMP}{name}") in annotations and not own.get("seccompProfile"):
            yield _annotation(path, key, 'non-functional in v1.27+; use the "seccompProfile" field instead')
        has_profile = own.get("appArmorProfile") or whole.get("appArmorProfile")
        if path and (key := f"{_APPARMOR}{name}") in annotations and not has_profile:
            yield _annotation(path, key, 'deprecated since v1.30; use the "appArmorProfile" field instead')
        for kind in ("limits", "requests"):
            yield from _of_amounts(f"{where}.resources.{kind}", strings(at(container, "resources", kind)))
        yield from _of_variables(f"{where}.env", objects(container.get("env")))


def of_ports(path: str, spec: Object) -> Iterator[str]:
    """Of ports that several containers have, or one has twice."""
    known: dict[tuple[object, object], list[tuple[str, Object]]] = {}
    for place, container in _all(path, spec):
        for n, port in enumerate(objects(container.get("ports"))):
            where = f"{place}.ports[{n}]"
            others = known.setdefault((port.get("containerPort"), port.get("protocol")), [])
            for other, held in others:
                if _outside(port) == _outside(held):
                    yield f"{where}: duplicate port definition with {other}"
                elif not (port.get("hostPort") and held.get("hostPort")) or _overlap(port, held):
                    yield f"{where}: overlapping port definition with {other}"
            others.append((where, port))


def _outside(port: Object) -> tuple[object, object]:
    return port.get("hostIP") or "", port.get("hostPort") or 0


def _overlap(one: Object, other: Object) -> bool:
    everywhere = not one.get("hostIP") or not other.get("hostIP")
    return everywhere and one.get("hostPort") == other.get("hostPort")


def _all(path: str, spec: Object) -> Iterator[tuple[str, Object]]:
    for group in _GROUPS:
        for n, container in enumerate(objects(spec.get(group))):
            yield f"{path}.{group}[{n}]", container


def _annotation(path: str, key: str, why: str) -> str:
    return f"{path}metadata.annotations[{key}]: {why}"


def _of_amounts(path: str, amounts: Mapping[str, str]) -> Iterator[str]:
    for name in _WHOLE:
        if name in amounts and Quantity.parse(amounts[name]).nanos % 10**9:
            yield f'{path}[{name}]: fractional byte value "{amounts[name]}" is invalid, must be an integer'


def _of_variables(path: str, variables: list[Object]) -> Iterator[str]:
    """One that is given again, and does not go on from what it was."""
    seen: set[str] = set()
    for n, each in enumerate(variables):
        name, value = text(each.get("name")), text(each.get("value"))
        reference = f"$({name})"
        if name in seen and (each.get("valueFrom") or value == reference or reference not in value):
            yield f'{path}[{n}]: hides previous definition of "{name}", which may be dropped when using apply'
        seen.add(name)
