"""Pods as controllers see and make them: phase, readiness, availability, which to miss least."""

from __future__ import annotations

import math

from jubako.cluster.controllers.actions import Action, Create, EmitEvent, delete
from jubako.cluster.controllers.conditions import condition, is_true
from jubako.cluster.objects import (
    Object,
    annotated,
    created,
    is_deleting,
    mapping,
    moment,
    name,
    namespace,
    number,
    objects,
    owner_reference,
    strings,
    text,
    whole,
    without_nones,
    words,
)

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def phase(pod: Object) -> str:
    return text(pod, "status", "phase")


def is_finished(pod: Object) -> bool:
    return phase(pod) in ("Succeeded", "Failed")


def is_active(pod: Object) -> bool:
    """Whether it counts as a replica: neither finished nor being deleted."""
    return not is_finished(pod) and not is_deleting(pod)


def is_ready(pod: Object) -> bool:
    return is_true(pod, "Ready")


def ready_since(pod: Object) -> float:
    """When a ready pod became so; infinity for one that is not ready."""
    if not is_ready(pod):
        return math.inf
    return moment(text(condition(pod, "Ready"), "lastTransitionTime")) or 0.0


def available_in(pod: Object, min_ready_s: int, now: float) -> float:
    """In how many seconds it will have been ready for long enough; 0 is now, infinity is not by itself."""
    since = ready_since(pod)
    if since == math.inf or not min_ready_s:
        return 0.0 if since < math.inf else math.inf
    return max(since + min_ready_s - now, 0.0)


def is_available(pod: Object, min_ready_s: int, now: float) -> bool:
    return available_in(pod, min_ready_s, now) == 0.0


def until_available(pods: list[Object], min_ready_s: int, now: float) -> float | None:
    """How long until the next ready pod of these becomes available, if one will."""
    waits = [available_in(pod, min_ready_s, now) for pod in pods]
    return min((wait for wait in waits if 0 < wait < math.inf), default=None)


def restarts(pod: Object) -> int:
    return max((number(each, "restartCount") for each in objects(pod, "status", "containerStatuses")), default=0)


def deletion_rank(pod: Object) -> tuple[float, ...]:
    """Sorts pods so that what is missed least comes first: unassigned, pending, not ready, cheap by annotation, ready
    for a short time, often restarted, young. (Kubernetes also spreads over nodes; there is one.)"""
    since = ready_since(pod)
    return (
        bool(text(pod, "spec", "nodeName")),
        _PHASES.get(phase(pod), 0),
        is_ready(pod),
        whole(annotated(pod).get(DELETION_COST, "")) or 0,
        -since if since < math.inf else 0.0,
        -restarts(pod),
        -created(pod),
    )


def from_template(template: Object, owner: Object, *, name_: str = "", generate: str = "") -> Object:
    """Return the pod that `owner` makes of a pod template, of this name or with a name made from a prefix."""
    metadata = without_nones(
        {
            "name": name_ or None,
            "generateName": generate or None,
            "namespace": namespace(owner),
            "labels": {**strings(template, "metadata", "labels")},
            "annotations": {**strings(template, "metadata", "annotations")} or None,
            "finalizers": [*words(template, "metadata", "finalizers")] or None,
            "ownerReferences": [owner_reference(owner)],
        }
    )
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": mapping(template, "spec")}


def prefix(owner: Object) -> str:
    """The prefix of the names of an owner's pods."""
    return f"{name(owner)}-"


def creation(owner: Object, pod: Object) -> Action:
    """Create a pod; the owner's events say how that went."""
    return Create(
        pod,
        created=EmitEvent(owner, "SuccessfulCreate", "Created pod: {name}"),
        refused=EmitEvent(owner, "FailedCreate", "Error creating: {error}", "Warning"),
    )


def deletion(owner: Object, pod: Object) -> Action:
    """Delete a pod; the owner's events say how that went."""
    return delete(
        pod,
        deleted=EmitEvent(owner, "SuccessfulDelete", f"Deleted pod: {name(pod)}"),
        refused=EmitEvent(owner, "FailedDelete", "Error deleting: {error}", "Warning"),
    )
