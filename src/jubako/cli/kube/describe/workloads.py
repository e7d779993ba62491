"""Deployments, ReplicaSets, ReplicationControllers, StatefulSets and DaemonSets."""

from __future__ import annotations

from collections.abc import Sequence

from jubako.cli.kube.describe.events import write_events
from jubako.cli.kube.describe.sheet import Sheet, date, plain, selector, words
from jubako.cli.kube.describe.templates import write_template
from jubako.cluster.types.document import JSON, Object, at, integer, mapping, objects, strings, text

Counts = tuple[int, int, int, int]


def pod_counts(pods: Sequence[Object]) -> Counts:
    """Return how many run, wait, have succeeded and have failed."""
    phases = [text(at(each, "status", "phase")) for each in pods]
    running, waiting, succeeded, failed = (phases.count(name) for name in ("Running", "Pending", "Succeeded", "Failed"))
    return running, waiting, succeeded, failed


def _pods(sheet: Sheet, counts: Counts) -> None:
    names = ("Running", "Waiting", "Succeeded", "Failed")
    sheet.line(0, "Pods Status:", " / ".join(f"{count} {name}" for count, name in zip(counts, names, strict=True)))


def _conditions(sheet: Sheet, document: Object) -> None:
    found = objects(at(document, "status", "conditions"))
    if found:
        sheet.line(0, "Conditions:")
        sheet.line(1, "Type", "Status", "Reason")
        sheet.line(1, "----", "------", "------")
    for each in found:
        sheet.line(1, f"{text(each.get('type'))} ", text(each.get("status")), text(each.get("reason")))


def _count(document: Object, *path: str) -> int:
    return integer(at(document, *path))


def deployment(
    sheet: Sheet, document: Object, events: Sequence[Object], new: Object | None, old: Sequence[Object]
) -> None:
    """`new` is the ReplicaSet of the template, `old` are the others."""
    spec, status = mapping(document.get("spec")), mapping(document.get("status"))
    sheet.head(document)
    sheet.line(0, "CreationTimestamp:", date(at(document, "metadata", "creationTimestamp")))
    sheet.marks(document)
    sheet.line(0, "Selector:", selector(spec.get("selector")))
    titles = (("updatedReplicas", "updated"), ("replicas", "total"), ("availableReplicas", "available"))
    counts = [
        f"{integer(spec.get('replicas'), 1)} desired",
        *(f"{integer(status.get(field))} {name}" for field, name in titles),
    ]
    sheet.line(0, "Replicas:", " | ".join([*counts, f"{integer(status.get('unavailableReplicas'))} unavailable"]))
    sheet.line(0, "StrategyType:", text(at(spec, "strategy", "type")))
    sheet.line(0, "MinReadySeconds:", plain(spec.get("minReadySeconds"), "0"))
    if rolling := mapping(at(spec, "strategy", "rollingUpdate")):
        most, surge = plain(rolling.get("maxUnavailable")), plain(rolling.get("maxSurge"))
        sheet.line(0, "RollingUpdateStrategy:", f"{most} max unavailable, {surge} max surge")
    write_template(sheet, mapping(spec.get("template")))
    _conditions(sheet, document)
    sheet.line(0, "OldReplicaSets:", ", ".join(map(_made, old)) or "<none>")
    sheet.line(0, "NewReplicaSet:", _made(new) if new else "<none>")
    write_events(sheet, events)


def _made(replica_set: Object) -> str:
    name, made = text(at(replica_set, "metadata", "name")), _count(replica_set, "status", "replicas")
    return f"{name} ({made}/{_count(replica_set, 'spec', 'replicas')} replicas created)"


def replica_set(sheet: Sheet, document: Object, events: Sequence[Object], counts: Counts) -> None:
    sheet.head(document)
    sheet.line(0, "Selector:", selector(at(document, "spec", "selector")))
    sheet.marks(document)
    sheet.controlled(document)
    made, wanted = _count(document, "status", "replicas"), _count(document, "spec", "replicas")
    sheet.line(0, "Replicas:", f"{made} current / {wanted} desired")
    _pods(sheet, counts)
    write_template(sheet, mapping(at(document, "spec", "template")))
    _conditions(sheet, document)
    write_events(sheet, events)


def stateful_set(sheet: Sheet, document: Object, events: Sequence[Object], counts: Counts) -> None:
    sheet.head(document)
    sheet.line(0, "CreationTimestamp:", date(at(document, "metadata", "creationTimestamp")))
    sheet.line(0, "Selector:", selector(at(document, "spec", "selector")))
    sheet.marks(document)
    wanted, made = integer(at(document, "spec", "replicas"), 1), _count(document, "status", "replicas")
    sheet.line(0, "Replicas:", f"{wanted} desired | {made} total")
    sheet.line(0, "Update Strategy:", text(at(document, "spec", "updateStrategy", "type")))
    partition = at(document, "spec", "updateStrategy", "rollingUpdate", "partition")
    if partition is not None:
        sheet.line(1, "Partition:", plain(partition))
    _pods(sheet, counts)
    write_template(sheet, mapping(at(document, "spec", "template")))
    _claims(sheet, at(document, "spec", "volumeClaimTemplates"))
    write_events(sheet, events)


def _claims(sheet: Sheet, templates: JSON) -> None:
    found = objects(templates)
    sheet.line(0, *(["Volume Claims:"] if found else ["Volume Claims:", "<none>"]))
    for each in found:
        sheet.line(1, "Name:", text(at(each, "metadata", "name")))
        sheet.line(1, "StorageClass:", text(at(each, "spec", "storageClassName")))
        sheet.labels(1, "Labels", strings(at(each, "metadata", "labels")))
        sheet.labels(1, "Annotations", strings(at(each, "metadata", "annotations")))
        sheet.line(1, "Capacity:", text(at(each, "spec", "resources", "requests", "storage")) or "<default>")
        sheet.line(1, "Access Modes:", words(at(each, "spec", "accessModes")))


def daemon_set(sheet: Sheet, document: Object, events: Sequence[Object], counts: Counts) -> None:
    sheet.head(document, namespaced=False)
    sheet.line(0, "Selector:", selector(at(document, "spec", "selector")))
    chosen = strings(at(document, "spec", "template", "spec", "nodeSelector"))
    sheet.line(0, "Node-Selector:", ",".join(f"{key}={value}" for key, value in sorted(chosen.items())) or "<none>")
    sheet.marks(document)
    for title, field in (
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ):
        sheet.line(0, f"{title}: {_count(document, 'status', field)}")
    _pods(sheet, counts)
    write_template(sheet, mapping(at(document, "spec", "template")))
    write_events(sheet, events)
