"""A pod."""

from __future__ import annotations

from collections.abc import Sequence

from jubako.cli.kube.describe.containers import containers
from jubako.cli.kube.describe.events import write_events
from jubako.cli.kube.describe.sheet import Sheet, ago, date, plain
from jubako.cli.kube.describe.templates import spreading, tolerations
from jubako.cli.kube.describe.volumes import volumes
from jubako.cluster.types.document import Object, at, objects, strings, text


def pod(sheet: Sheet, document: Object, events: Sequence[Object]) -> None:
    spec, status = (document.get(name) for name in ("spec", "status"))
    sheet.head(document)
    _placement(sheet, document)
    sheet.marks(document)
    _phase(sheet, document)
    sheet.line(0, "IP:", text(at(status, "podIP")))
    addresses = objects(at(status, "podIPs"))
    sheet.line(0, *(["IPs:"] if addresses else ["IPs:", "<none>"]))
    for each in addresses:
        sheet.line(1, "IP:", text(each.get("ip")))
    sheet.controlled(document)
    if nominated := text(at(status, "nominatedNodeName")):
        sheet.line(0, "NominatedNodeName:", nominated)
    if at(spec, "initContainers"):
        initial = at(status, "initContainerStatuses")
        containers(sheet, "Init Containers", at(spec, "initContainers"), initial, document)
    containers(sheet, "Containers", at(spec, "containers"), at(status, "containerStatuses"), document)
    if at(spec, "ephemeralContainers"):
        ephemeral = at(status, "ephemeralContainerStatuses")
        containers(sheet, "Ephemeral Containers", at(spec, "ephemeralContainers"), ephemeral, document)
    _conditions(sheet, document)
    volumes(sheet, at(spec, "volumes"))
    sheet.line(0, "QoS Class:", text(at(status, "qosClass")))
    sheet.labels(0, "Node-Selectors", strings(at(spec, "nodeSelector")))
    sheet.each(0, "Tolerations", tolerations(at(spec, "tolerations")))
    spreading(sheet, 0, at(spec, "topologySpreadConstraints"))
    write_events(sheet, events)


def _placement(sheet: Sheet, document: Object) -> None:
    spec = document.get("spec")
    # A cluster without the Priority admission leaves the field out; kubectl then shows no line, or 0.
    if at(spec, "priority") is not None:
        sheet.line(0, "Priority:", plain(at(spec, "priority")))
    for title, field in (
        ("Priority Class Name:", "priorityClassName"),
        ("Runtime Class Name:", "runtimeClassName"),
        ("Service Account:", "serviceAccountName"),
    ):
        if value := text(at(spec, field)):
            sheet.line(0, title, value)
    node = text(at(spec, "nodeName"))
    sheet.line(0, "Node:", f"{node}/{text(at(document, 'status', 'hostIP'))}" if node else "<none>")
    if started := at(document, "status", "startTime"):
        sheet.line(0, "Start Time:", date(started))


def _phase(sheet: Sheet, document: Object) -> None:
    status, phase = document.get("status"), text(at(document, "status", "phase"))
    deleted = at(document, "metadata", "deletionTimestamp")
    if deleted and phase not in ("Failed", "Succeeded"):
        sheet.line(0, "Status:", f"Terminating (lasts {ago(deleted)})")
        grace = plain(at(document, "metadata", "deletionGracePeriodSeconds"), "0")
        sheet.line(0, "Termination Grace Period:", f"{grace}s")
    else:
        sheet.line(0, "Status:", phase)
    for title, field in (("Reason:", "reason"), ("Message:", "message")):
        if value := text(at(status, field)):
            sheet.line(0, title, value)
    if profile := at(document, "spec", "securityContext", "seccompProfile"):
        sheet.line(0, "SeccompProfile:", text(at(profile, "type")))
        if at(profile, "type") == "Localhost":
            sheet.line(0, "LocalhostProfile:", text(at(profile, "localhostProfile")))


def _conditions(sheet: Sheet, document: Object) -> None:
    found = objects(at(document, "status", "conditions"))
    by_type = {text(each.get("type")): text(each.get("status")) for each in found}
    gates = [text(each.get("conditionType")) for each in objects(at(document, "spec", "readinessGates"))]
    for title, rows in (
        ("Readiness Gates:", [(gate, by_type.get(gate, "<none>")) for gate in gates]),
        ("Conditions:", [*by_type.items()]),
    ):
        if rows:
            sheet.line(0, title)
            sheet.line(1, "Type", "Status")
        for kind, value in rows:
            sheet.line(1, f"{kind} ", f"{value} ")
