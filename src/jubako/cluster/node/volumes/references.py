"""What a pod's volumes and variables are made of: ConfigMaps and Secrets, the pod itself, and tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from jubako.cluster.types.document import Object, at, objects, text


class Source(NamedTuple):
    """`kind` is ConfigMap or Secret, of the pod's namespace; POD and TOKEN are every pod's own."""

    kind: str
    name: str = ""


POD, TOKEN = Source("Pod"), Source("Token")


def references(pod: Object) -> frozenset[Source]:
    """Return what all volumes and variables of a pod are made of."""
    volumes = objects(at(pod, "spec", "volumes"))
    return frozenset((*(source for volume in volumes for source in sources(volume)), *_of_variables(pod)))


def sources(volume: Object) -> frozenset[Source]:
    """Return what one volume is made of."""
    parts = (volume, *objects(at(volume, "projected", "sources")))
    return frozenset(source for part in parts for source in _of_part(part))


def _of_part(part: Object) -> Iterator[Source]:
    if name := text(at(part, "configMap", "name")):
        yield Source("ConfigMap", name)
    if name := text(at(part, "secret", "secretName")) or text(at(part, "secret", "name")):
        yield Source("Secret", name)
    if "downwardAPI" in part:
        yield POD
    if "serviceAccountToken" in part:
        yield TOKEN


def _of_variables(pod: Object) -> Iterator[Source]:
    for group in ("initContainers", "containers", "ephemeralContainers"):
        for container in objects(at(pod, "spec", group)):
            for each in objects(container.get("envFrom")):
                yield Source("ConfigMap", text(at(each, "configMapRef", "name")))
                yield Source("Secret", text(at(each, "secretRef", "name")))
            for each in objects(container.get("env")):
                yield Source("ConfigMap", text(at(each, "valueFrom", "configMapKeyRef", "name")))
                yield Source("Secret", text(at(each, "valueFrom", "secretKeyRef", "name")))
