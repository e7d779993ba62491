"""The namespaces and classes that are there from the beginning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jubako.cluster.types.document import JSON, Object
from jubako.cluster.types.storage import IS_DEFAULT

_NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "default")
_PRIORITIES = (
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
)


def documents(volumes: Path) -> Iterator[tuple[str, str, Object]]:
    """Yield group, plural and document of each; `volumes` is where those of claims are made."""
    for name in _NAMESPACES:
        yield "", "namespaces", named("v1", "Namespace", name)
    for name, value, description in _PRIORITIES:
        class_ = named("scheduling.k8s.io/v1", "PriorityClass", name)
        yield "scheduling.k8s.io", "priorityclasses", {**class_, "value": value, "description": description}
    yield "storage.k8s.io", "storageclasses", _storage(volumes)


def _storage(volumes: Path) -> Object:
    """The class of claims that name none. Its volumes are directories: what a claim asks for is no limit."""
    class_ = named("storage.k8s.io/v1", "StorageClass", "standard", annotations={IS_DEFAULT: "true"})
    class_ |= {"provisioner": "jubako.io/local", "parameters": {"path": str(volumes)}}
    return {**class_, "volumeBindingMode": "WaitForFirstConsumer"}


def named(api_version: str, kind: str, name: str, **metadata: dict[str, JSON]) -> Object:
    return {"kind": kind, "apiVersion": api_version, "metadata": {"name": name, **metadata}}
