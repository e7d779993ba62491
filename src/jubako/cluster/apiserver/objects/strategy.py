"""What belongs to which verb: a status is written through /status alone and the rest without it, and a change of what
is wanted makes a new generation.

Spec: API conventions, "Spec and Status"; k8s.io/kubernetes/pkg/registry/*/strategy.go.
"""

from __future__ import annotations

from collections.abc import Callable

from jubako.cluster.apiserver.objects import parts
from jubako.cluster.types.document import Object, child, mapping, text
from jubako.cluster.types.empty import empty
from jubako.cluster.types.served import Resource

# Kinds whose generation counts changes of what is wanted; others have none.
_GENERATIONS = frozenset(
    (
        "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "PodDisruptionBudget",
        "ReplicationController", "Ingress", "IngressClass",
    )
)  # fmt: skip
_Begin = Callable[[Object], None]


def prepare_create(resource: Resource, document: Object) -> None:
    """A new object has an empty status, but for what its kind begins with."""
    kind = resource.kind.name
    if resource.subresource("status") and (status := resource.kind.message.by_name["status"].message):
        document["status"] = empty(status)
    if kind in _GENERATIONS:
        child(document, "metadata")["generation"] = 1
    if begin := _BEGINNINGS.get(kind):
        begin(document)


def prepare_update(resource: Resource, document: Object, old: Object, subresource: str) -> None:
    """Take back what the verb may not touch, and count the change."""
    if subresource == parts.STATUS:
        parts.keep_all_but_status(document, old)
        return
    if subresource == parts.BINDING:
        return
    if subresource == parts.EPHEMERAL:
        parts.keep_all_but_ephemeral(document, old)
        return
    if resource.subresource("status"):
        parts.replace(document, "status", old)
    if resource.kind.name == "Namespace" and subresource != "finalize":
        parts.replace(child(document, "spec"), "finalizers", mapping(old.get("spec")))
    if resource.kind.name in _GENERATIONS and document.get("spec") != old.get("spec"):
        generation = mapping(old.get("metadata")).get("generation")
        child(document, "metadata")["generation"] = (generation if isinstance(generation, int) else 0) + 1


def _begin_pod(document: Object) -> None:
    document["status"] = {"phase": "Pending", "qosClass": qos_class(document)}


def _begin_namespace(document: Object) -> None:
    spec = child(document, "spec")
    finalizers = spec.get("finalizers")
    known = finalizers if isinstance(finalizers, list) else []
    spec["finalizers"] = [*known, "kubernetes"] if "kubernetes" not in known else known
    document["status"] = {"phase": "Active"}


def _begin_volume(document: Object) -> None:
    document["status"] = {"phase": "Pending"}


def _begin_job(document: Object) -> None:
    """A job finds its pods by its own uid, unless somebody chose a selector."""
    spec, metadata = child(document, "spec"), mapping(document.get("metadata"))
    if spec.get("manualSelector") is True:
        return
    uid, name = metadata.get("uid"), metadata.get("name")
    labels = child(child(child(spec, "template"), "metadata"), "labels")
    for prefix in ("", "batch.kubernetes.io/"):
        labels.setdefault(f"{prefix}controller-uid", uid)
        labels.setdefault(f"{prefix}job-name", name)
    if not metadata.get("labels"):  # as defaults would have it, the next time that it is read
        metadata["labels"] = dict(labels)
    child(child(spec, "selector"), "matchLabels")["batch.kubernetes.io/controller-uid"] = uid


_BEGINNINGS: dict[str, _Begin] = {
    "Job": _begin_job,
    "Pod": _begin_pod,
    "Namespace": _begin_namespace,
    "PersistentVolume": _begin_volume,
    "PersistentVolumeClaim": _begin_volume,
}


def qos_class(pod: Object) -> str:
    """Return a pod's class of service: by what its containers request and are limited to of cpu and memory."""
    spec = mapping(pod.get("spec"))
    requests: list[dict[str, str]] = []
    limits: list[dict[str, str]] = []
    for group in ("containers", "initContainers"):
        found = spec.get(group)
        for container in found if isinstance(found, list) else []:
            resources = mapping(mapping(container).get("resources"))
            requests.append(_counted(mapping(resources.get("requests"))))
            limits.append(_counted(mapping(resources.get("limits"))))
    if not any(requests) and not any(limits):
        return "BestEffort"
    whole = all(len(each) == 2 for each in limits)
    return "Guaranteed" if whole and requests == limits else "Burstable"


def _counted(amounts: Object) -> dict[str, str]:
    return {name: text(amounts[name]) for name in ("cpu", "memory") if text(amounts.get(name)) not in ("", "0")}
