"""A Binding gives a pod its node, once. Spec: core/v1 Binding; k8s.io/kubernetes/pkg/registry/core/pod/storage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from jubako.cluster.apiserver import failures
from jubako.cluster.types import times
from jubako.cluster.types.document import Object, child, mapping, objects, text
from jubako.cluster.types.served import Resource


def bound(resource: Resource, binding: Object, now: datetime) -> Callable[[Object], Object]:
    """Return the change that a Binding makes to its pod. Raises Failure (409, 422)."""
    target, metadata = mapping(binding.get("target")), mapping(binding.get("metadata"))
    node, name = text(target.get("name")), text(metadata.get("name"))
    if not node:
        message = f'Binding "{name}" is invalid: target.name: Required value'
        raise failures.failure(422, "Invalid", message)

    def change(pod: Object) -> Object:
        spec = child(pod, "spec")
        if mapping(pod["metadata"]).get("deletionTimestamp"):
            raise failures.conflict(resource, name, f"pod {name} is being deleted, cannot be assigned to a host")
        if spec.get("nodeName"):
            raise failures.conflict(resource, name, f"pod {name} is already assigned to node {_quoted(spec)}")
        spec["nodeName"] = node
        _condition(pod, now)
        return pod

    return change


def _condition(pod: Object, now: datetime) -> None:
    status = child(pod, "status")
    kept = [each for each in objects(status.get("conditions")) if each.get("type") != "PodScheduled"]
    scheduled: Object = {
        "type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": times.render(now),
    }  # fmt: skip
    status["conditions"] = [*kept, scheduled]


def _quoted(spec: Object) -> str:
    return f'"{text(spec.get("nodeName"))}"'
