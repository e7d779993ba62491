"""A pod, or the template of one, as the controls look at it; and what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from jubako.cluster.types.document import Object, at, mapping, objects, strings, text

_GROUPS = ("initContainers", "containers", "ephemeralContainers")


class Violation(msgspec.Struct, frozen=True):
    """What is not allowed, and where."""

    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})"


class Container(msgspec.Struct, frozen=True):
    name: str
    document: Object
    context: Object


class Pod(msgspec.Struct, frozen=True):
    annotations: dict[str, str]
    spec: Object
    context: Object
    containers: tuple[Container, ...]

    @property
    def is_windows(self) -> bool:
        return at(self.spec, "os", "name") == "windows"

    @property
    def has_own_users(self) -> bool:
        """Whether the pod has a user namespace, in which root is nobody outside."""
        return self.spec.get("hostUsers") is False

    def named(self, is_bad: Callable[[Container], object]) -> list[str]:
        return [each.name for each in self.containers if is_bad(each)]


Control = Callable[[Pod], Violation | None]


def pod_of(document: Object) -> Pod:
    """Return the view of a pod or of a template: something with metadata and spec."""
    spec = mapping(document.get("spec"))
    containers = tuple(
        Container(text(each.get("name")), each, mapping(each.get("securityContext")))
        for group in _GROUPS
        for each in objects(spec.get(group))
    )
    annotations = strings(at(document, "metadata", "annotations"))
    return Pod(annotations, spec, mapping(spec.get("securityContext")), containers)


def quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def containers(names: list[str]) -> str:
    """Return: container "a"; or: containers "a", "b"."""
    return f"{plural('container', len(names))} {quoted(names)}"


def setters(pod_is_bad: object, names: list[str]) -> str:
    """Return who set something: pod and containers "a", "b"; "" for nobody."""
    return " and ".join([*(["pod"] if pod_is_bad else []), *([containers(names)] if names else [])])
