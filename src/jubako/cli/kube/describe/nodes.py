"""A node, with the pods on it and what they ask for."""

from __future__ import annotations

from collections.abc import Sequence

from jubako.cli.kube.describe import conditions
from jubako.cli.kube.describe.events import write_events
from jubako.cli.kube.describe.sheet import Sheet, ago, date, plain
from jubako.cluster.types.document import JSON, Object, array, at, mapping, objects, strings, text
from jubako.cluster.types.quantity import Quantity

_ROLE = "node-role.kubernetes.io/"
_INFO = (
    ("Machine ID", "machineID"),
    ("System UUID", "systemUUID"),
    ("Boot ID", "bootID"),
    ("Kernel Version", "kernelVersion"),
    ("OS Image", "osImage"),
    ("Operating System", "operatingSystem"),
    ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"),
    ("Kubelet Version", "kubeletVersion"),
    ("Kube-Proxy Version", "kubeProxyVersion"),
)
_ALWAYS = ("cpu", "memory", "ephemeral-storage")


def node(
    sheet: Sheet, document: Object, events: Sequence[Object], pods: Sequence[Object], lease: Object | None
) -> None:
    spec, status = mapping(document.get("spec")), mapping(document.get("status"))
    sheet.head(document, namespaced=False)
    labels = strings(at(document, "metadata", "labels"))
    roles = sorted(key.removeprefix(_ROLE) for key in labels if key.startswith(_ROLE))
    sheet.line(0, "Roles:", ",".join(roles) or "<none>")
    sheet.marks(document)
    sheet.line(0, "CreationTimestamp:", date(at(document, "metadata", "creationTimestamp")))
    sheet.each(0, "Taints", _taints(spec.get("taints")))
    sheet.line(0, "Unschedulable:", plain(spec.get("unschedulable"), "false"))
    _lease(sheet, document, lease)
    conditions.timed(sheet, status, "lastHeartbeatTime")
    sheet.line(0, "Addresses:")
    for each in objects(status.get("addresses")):
        sheet.line(1, f"{text(each.get('type'))}:", text(each.get("address")))
    for title, field in (("Capacity", "capacity"), ("Allocatable", "allocatable")):
        sheet.line(0, f"{title}:")
        for name, amount in sorted(mapping(status.get(field)).items()):
            sheet.line(1, f"{name}:", plain(amount))
    sheet.line(0, "System Info:")
    for title, field in _INFO:
        sheet.line(1, f"{title}:", text(at(status, "nodeInfo", field)))
    if address := text(spec.get("podCIDR")):
        sheet.line(0, "PodCIDR:", address)
    if addresses := array(spec.get("podCIDRs")):
        sheet.line(0, "PodCIDRs:", ",".join(map(text, addresses)))
    if provider := text(spec.get("providerID")):
        sheet.line(0, "ProviderID:", provider)
    _allocated(sheet, mapping(status.get("allocatable")), pods)
    write_events(sheet, events)


def _taints(found: JSON) -> list[str]:
    def shown(taint: Object) -> str:
        key, value, effect = (text(taint.get(name)) for name in ("key", "value", "effect"))
        return f"{key}={value}:{effect}" if value else f"{key}:{effect}"

    ordered = sorted(objects(found), key=lambda each: (text(each.get("effect")), text(each.get("key"))))
    return [shown(each) for each in ordered]


def _lease(sheet: Sheet, document: Object, lease: Object | None) -> None:
    if lease is None:
        name = text(at(document, "metadata", "name"))
        sheet.line(0, "Lease:", f'Failed to get lease: leases.coordination.k8s.io "{name}" not found')
        return
    sheet.line(0, "Lease:")
    sheet.line(1, "HolderIdentity:", text(at(lease, "spec", "holderIdentity")) or "<unset>")
    for title, field in (("AcquireTime:", "acquireTime"), ("RenewTime:", "renewTime")):
        found = at(lease, "spec", field)
        sheet.line(1, title, date(found) if found else "<unset>")


def _asked(pod: Object, kind: str, name: str) -> Quantity:
    """Return how much of a resource a pod asks for: its containers together, or the largest of those before them."""
    spec = pod.get("spec")
    main = [_amount(each, kind, name) for each in objects(at(spec, "containers"))]
    first = [_amount(each, kind, name) for each in objects(at(spec, "initContainers"))]
    total = sum(main, Quantity(0))
    return max([total, *first])


def _amount(container: Object, kind: str, name: str) -> Quantity:
    found = at(container, "resources", kind, name)
    return Quantity.parse(plain(found)) if found is not None else Quantity(0)


def _share(amount: Quantity, of: JSON) -> str:
    whole = Quantity.parse(plain(of)) if of is not None else Quantity(0)
    return f"{amount} ({amount.nanos * 100 // whole.nanos if whole.nanos else 0}%)"


def _allocated(sheet: Sheet, allocatable: Object, pods: Sequence[Object]) -> None:
    sheet.line(0, "Non-terminated Pods:", f"({len(pods)} in total)")
    sheet.line(1, "Namespace", "Name", "", "CPU Requests", "CPU Limits", "Memory Requests", "Memory Limits", "Age")
    sheet.line(1, "---------", "----", "", "------------", "----------", "---------------", "-------------", "---")
    columns = (("requests", "cpu"), ("limits", "cpu"), ("requests", "memory"), ("limits", "memory"))
    for pod in pods:
        shares = [_share(_asked(pod, kind, name), allocatable.get(name)) for kind, name in columns]
        namespace, name = (text(at(pod, "metadata", field)) for field in ("namespace", "name"))
        sheet.line(1, namespace, name, "", *shares, ago(at(pod, "metadata", "creationTimestamp")))
    sheet.line(0, "Allocated resources:")
    sheet.line(1, "(Total limits may be over 100 percent, i.e., overcommitted.)")
    sheet.line(1, "Resource", "Requests", "Limits")
    sheet.line(1, "--------", "--------", "------")
    others = sorted(name for name in allocatable if name not in (*_ALWAYS, "pods"))
    for name in (*_ALWAYS, *others):
        totals = [sum((_asked(pod, kind, name) for pod in pods), Quantity(0)) for kind in ("requests", "limits")]
        # What is counted in whole things is not shown as a share.
        counted = name in _ALWAYS or name.startswith("hugepages-")
        sheet.line(1, name, *(_share(total, allocatable.get(name)) if counted else str(total) for total in totals))
