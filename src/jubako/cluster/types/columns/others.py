"""The rows of nodes, namespaces, events, settings, roles and what else has columns of its own."""

from __future__ import annotations

from datetime import datetime

from jubako.cluster.types.columns.ages import age
from jubako.cluster.types.columns.model import NONE, UNKNOWN, Columns, condition, created, name
from jubako.cluster.types.document import JSON, Object, array, at, integer, mapping, objects, strings, text

_ROLE_PREFIX, _ROLE = "node-role.kubernetes.io/", "kubernetes.io/role"


def _node(node: Object, now: datetime) -> list[JSON]:
    info = mapping(at(node, "status", "nodeInfo"))
    cells: list[JSON] = [
        name(node),
        _node_status(node),
        _roles(node),
        created(node, now),
        text(info.get("kubeletVersion")),
    ]
    cells += [_address(node, kind) for kind in ("InternalIP", "ExternalIP")]
    return cells + [
        text(info.get(field)) or UNKNOWN for field in ("osImage", "kernelVersion", "containerRuntimeVersion")
    ]


def _node_status(node: Object) -> str:
    words = {"": "Unknown", "True": "Ready"}
    status = words.get(condition(node, "Ready"), "NotReady")
    return status + (",SchedulingDisabled" if at(node, "spec", "unschedulable") else "")


def _roles(node: Object) -> str:
    labels = strings(at(node, "metadata", "labels"))
    found = {key.removeprefix(_ROLE_PREFIX) for key in labels if key.startswith(_ROLE_PREFIX)} | {labels.get(_ROLE, "")}
    return ",".join(sorted(found - {""})) or NONE


def _address(node: Object, kind: str) -> str:
    found = (text(each.get("address")) for each in objects(at(node, "status", "addresses")) if each.get("type") == kind)
    return next(found, NONE)


def _namespace(document: Object, now: datetime) -> list[JSON]:
    return [name(document), text(at(document, "status", "phase")), created(document, now)]


def _config_map(document: Object, now: datetime) -> list[JSON]:
    count = len(mapping(document.get("data"))) + len(mapping(document.get("binaryData")))
    return [name(document), count, created(document, now)]


def _secret(document: Object, now: datetime) -> list[JSON]:
    return [name(document), text(document.get("type")), len(mapping(document.get("data"))), created(document, now)]


def _service_account(document: Object, now: datetime) -> list[JSON]:
    return [name(document), len(array(document.get("secrets"))), created(document, now)]


def _event(event: Object, now: datetime) -> list[JSON]:
    """Return the row of an event in either of its two forms (core, and events.k8s.io)."""
    about = mapping(event.get("involvedObject") or event.get("regarding"))
    first = event.get("firstTimestamp") or event.get("deprecatedFirstTimestamp") or event.get("eventTime")
    last = event.get("lastTimestamp") or event.get("deprecatedLastTimestamp") or first
    count = integer(event.get("count")) or integer(event.get("deprecatedCount")) or 1
    if series := mapping(event.get("series")):
        last, count = series.get("lastObservedTime"), integer(series.get("count"))
    target = "/".join(filter(None, (text(about.get("kind")).lower(), text(about.get("name")))))
    message = (text(event.get("message")) or text(event.get("note"))).strip()
    return [
        *(age(last, now), text(event.get("type")), text(event.get("reason")), target, text(about.get("fieldPath"))),
        *(_source(event), message, age(first, now), count, name(event)),
    ]


def _source(event: Object) -> str:
    source = mapping(event.get("source") or event.get("deprecatedSource"))
    component, host = text(source.get("component")), text(source.get("host"))
    if not component:
        component = text(event.get("reportingComponent") or event.get("reportingController"))
        host = host or text(event.get("reportingInstance"))
    return f"{component}, {host}" if host else component


def _dated(document: Object, now: datetime) -> list[JSON]:
    return [name(document), text(at(document, "metadata", "creationTimestamp"))]


def _binding(document: Object, now: datetime) -> list[JSON]:
    role = f"{text(at(document, 'roleRef', 'kind'))}/{text(at(document, 'roleRef', 'name'))}"
    return [name(document), role, created(document, now), *(_subjects(document, kind) for kind in ("User", "Group")),
            _subjects(document, "ServiceAccount")]  # fmt: skip


def _subjects(document: Object, kind: str) -> str:
    found = [each for each in objects(document.get("subjects")) if each.get("kind") == kind]
    prefixed = kind == "ServiceAccount"
    return ", ".join(f"{text(each.get('namespace'))}/" * prefixed + text(each.get("name")) for each in found)


def _lease(document: Object, now: datetime) -> list[JSON]:
    return [name(document), text(at(document, "spec", "holderIdentity")), created(document, now)]


def _budget(document: Object, now: datetime) -> list[JSON]:
    given = (at(document, "spec", field) for field in ("minAvailable", "maxUnavailable"))
    allowed = integer(at(document, "status", "disruptionsAllowed"))
    return [
        name(document),
        *("N/A" if value is None else str(value) for value in given),
        allowed,
        created(document, now),
    ]


def _quota(quota: Object, now: datetime) -> list[JSON]:
    used, hard = (strings(at(quota, "status", field)) for field in ("used", "hard"))
    told = [f"{what}: {used.get(what, '0')}/{most}" for what, most in sorted(hard.items())]
    requests = ", ".join(each for each in told if not each.startswith("limits"))
    limits = ", ".join(each for each in told if each.startswith("limits"))
    return [name(quota), requests, limits, created(quota, now)]


def _priority_class(document: Object, now: datetime) -> list[JSON]:
    value, is_default = integer(document.get("value")), bool(document.get("globalDefault"))
    return [name(document), value, is_default, created(document, now), text(document.get("preemptionPolicy"))]


def _runtime_class(document: Object, now: datetime) -> list[JSON]:
    return [name(document), text(document.get("handler")), created(document, now)]


_EVENT = (
    *("Last Seen", "Type", "Reason", "Object", "Subobject+", "Source+"),
    *("Message", "First Seen+", "Count:integer+", "Name+"),
)
_NODE = (
    *("Name", "Status", "Roles", "Age", "Version"),
    *("Internal-IP+", "External-IP+", "OS-Image+", "Kernel-Version+", "Container-Runtime+"),
)
_BINDING = Columns(("Name", "Role", "Age", "Users+", "Groups+", "ServiceAccounts+"), _binding)
_DATED = Columns(("Name", "Created At:date"), _dated)
_PRIORITY = ("Name", "Value:integer", "Global-Default:boolean", "Age", "PreemptionPolicy")
COLUMNS = {
    "coordination/v1.Lease": Columns(("Name", "Holder", "Age"), _lease),
    "core/v1.ConfigMap": Columns(("Name", "Data:integer", "Age"), _config_map),
    "core/v1.Event": Columns(_EVENT, _event),
    "core/v1.LimitRange": _DATED,
    "core/v1.Namespace": Columns(("Name", "Status", "Age"), _namespace),
    "core/v1.Node": Columns(_NODE, _node),
    "core/v1.ResourceQuota": Columns(("Name", "Request", "Limit", "Age"), _quota),
    "core/v1.Secret": Columns(("Name", "Type", "Data:integer", "Age"), _secret),
    "core/v1.ServiceAccount": Columns(("Name", "Secrets:integer", "Age"), _service_account),
    "events/v1.Event": Columns(_EVENT, _event),
    "policy/v1.PodDisruptionBudget": Columns(
        ("Name", "Min Available", "Max Unavailable", "Allowed Disruptions:integer", "Age"), _budget
    ),
    "rbac/v1.ClusterRole": _DATED,
    "rbac/v1.ClusterRoleBinding": _BINDING,
    "rbac/v1.Role": _DATED,
    "rbac/v1.RoleBinding": _BINDING,
    "node/v1.RuntimeClass": Columns(("Name", "Handler", "Age"), _runtime_class),
    "scheduling/v1.PriorityClass": Columns(_PRIORITY, _priority_class),
}
