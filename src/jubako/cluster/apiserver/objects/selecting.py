"""Which objects a list or watch is about: by their labels, and by the fields that can be asked for.

Spec: "Labels and Selectors"; "Field Selectors", supported field selectors by resource.
"""

from __future__ import annotations

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.objects.reading import Filter
from jubako.cluster.selectors import parse_fields, parse_labels
from jubako.cluster.types.document import JSON, Object, at, strings
from jubako.cluster.types.served import Resource
from jubako.errors import InvalidArgument

_ALWAYS = ("metadata.name", "metadata.namespace")
_MORE = {
    "CronJob": ("status.successful",),
    "Event": (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
        "reportingComponent", "source", "type",
    ),
    "Job": ("status.successful",),
    "Namespace": ("status.phase",),
    "Node": ("spec.unschedulable",),
    "Pod": (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.nominatedNodeName",
    ),
    "ReplicaSet": ("status.replicas",),
    "ReplicationController": ("status.replicas",),
    "Secret": ("type",),
    "Service": ("spec.clusterIP", "spec.type"),
}  # fmt: skip


def keep(resource: Resource, labels: str, fields: str) -> Filter | None:
    """Return what tells whether an object is selected; None where all are. Raises Failure (400)."""
    if not labels and not fields:
        return None
    supported = (*_ALWAYS, *_MORE.get(resource.kind.name, ()))
    try:
        by_label, by_field = parse_labels(labels), parse_fields(fields, supported)
    except InvalidArgument as error:
        raise failures.bad_request(error.message) from None

    def selected(document: Object) -> bool:
        if not by_label.matches(strings(at(document, "metadata", "labels"))):
            return False
        return not fields or by_field.matches({name: _shown(document, name) for name in supported})

    return selected


def _shown(document: Object, field: str) -> str:
    if field == "source":
        return _text(at(document, "source", "component") or at(document, "reportingComponent"))
    return _text(at(document, *field.split(".")))


def _text(value: JSON) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
