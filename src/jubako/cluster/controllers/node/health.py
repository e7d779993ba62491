"""Whether a node lives: its lease is renewed, or its conditions become Unknown, and taints tell the rest.

Model: the lease is the heartbeat. Without one for 40 s all conditions are Unknown (NodeStatusUnknown); the taints
       not-ready, unreachable and those of pressures follow the conditions; a node that is cordoned has unschedulable.
Spec:  kubernetes/pkg/controller/nodelifecycle.
"""

from __future__ import annotations

from jubako.cluster.controllers.actions import Action, EmitEvent, Update, set_status, soonest
from jubako.cluster.controllers.conditions import condition
from jubako.cluster.controllers.controller import Controller, itself
from jubako.cluster.controllers.kinds import LEASE, NODE, Key
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.scheduler.taints import NOT_READY, UNREACHABLE, UNSCHEDULABLE, taints
from jubako.cluster.objects import (
    Object,
    created,
    flag,
    is_deleting,
    listed,
    mapping,
    moment,
    name,
    namespace,
    objects,
    put,
    stamp,
    text,
    without_nones,
)

GRACE_S = 40.0
STARTUP_GRACE_S = 60.0
LEASES = "kube-node-lease"
_REPORTED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
_PRESSURES = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
}
_OURS = {NOT_READY, UNREACHABLE, UNSCHEDULABLE, *_PRESSURES.values()}


def reconcile(observed: Observed, key: Key) -> list[Action]:
    node = observed.get(NODE, key)
    if node is None or is_deleting(node):
        return []
    left = _alive_for(observed, node)
    if left <= 0 and (silent := _silenced(observed, node)):
        return silent
    wanted = _taints(observed, node)
    changed: list[Action] = [Update(_tainted(node, wanted))] if wanted != taints(node) else []
    return [*changed, *soonest(left if left > 0 else None)]


def _tainted(node: Object, wanted: list[Object]) -> Object:
    return put(node, without_nones({**mapping(node, "spec"), "taints": listed(wanted) or None}), "spec")


def _alive_for(observed: Observed, node: Object) -> float:
    """For how many seconds more the node counts as alive by its last heartbeat."""
    lease = observed.get(LEASE, Key(LEASES, name(node)))
    renewed = moment(text(lease, "spec", "renewTime")) if lease else None
    ready = condition(node, "Ready")
    reported = moment(text(ready, "lastHeartbeatTime")) if ready and text(ready, "status") != "Unknown" else None
    if renewed is None and reported is None:
        return created(node) + STARTUP_GRACE_S - observed.now
    return max(renewed or 0.0, reported or 0.0) + GRACE_S - observed.now


def _silenced(observed: Observed, node: Object) -> list[Action]:
    """The status of a node that says nothing any more."""
    conditions = objects(node, "status", "conditions")
    known = {text(each, "type"): each for each in conditions}
    changed = list(conditions)
    for type_ in _REPORTED:
        before = known.get(type_)
        if before is not None and text(before, "status") == "Unknown":
            continue
        changed = [each for each in changed if text(each, "type") != type_]
        changed.append(_unknown(observed, node, type_, before))
    if changed == conditions:
        return []
    told = EmitEvent(node, "NodeNotReady", f"Node {name(node)} status is now: NodeNotReady")
    was_ready = text(known.get("Ready"), "status") == "True"
    status = put(mapping(node, "status"), listed(changed), "conditions")
    return [*set_status(node, status), *([told] if was_ready else [])]


def _unknown(observed: Observed, node: Object, type_: str, before: Object | None) -> Object:
    never = before is None
    return {
        "type": type_,
        "status": "Unknown",
        "reason": "NodeStatusNeverUpdated" if never else "NodeStatusUnknown",
        "message": "Kubelet never posted node status." if never else "Kubelet stopped posting node status.",
        "lastHeartbeatTime": text(before, "lastHeartbeatTime") or text(node, "metadata", "creationTimestamp"),
        "lastTransitionTime": stamp(observed.now),
    }


def _taints(observed: Observed, node: Object) -> list[Object]:
    """The taints that the conditions ask for, with the time since when for those that evict; foreign ones stay."""
    wanted: list[tuple[str, str]] = []
    match text(condition(node, "Ready"), "status"):
        case "False":
            wanted += [(NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute")]
        case "Unknown":
            wanted += [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]
        case "":
            wanted += [(NOT_READY, "NoSchedule")]
    for type_, key in _PRESSURES.items():
        if text(condition(node, type_), "status") == "True":
            wanted.append((key, "NoSchedule"))
    if flag(node, "spec", "unschedulable"):
        wanted.append((UNSCHEDULABLE, "NoSchedule"))
    known = {(text(each, "key"), text(each, "effect")): each for each in taints(node)}
    kept = [each for each in taints(node) if text(each, "key") not in _OURS or _which(each) in wanted]
    added = [_made(key, effect, observed.now) for key, effect in wanted if (key, effect) not in known]
    return [*kept, *added]


def _which(taint: Object) -> tuple[str, str]:
    return text(taint, "key"), text(taint, "effect")


def _made(key: str, effect: str, now: float) -> Object:
    taint: Object = {"key": key, "effect": effect}
    return {**taint, "timeAdded": stamp(now)} if effect == "NoExecute" or key == UNSCHEDULABLE else taint


def _of_lease(_: Observed, lease: Object) -> list[Key]:
    return [Key("", name(lease))] if namespace(lease) == LEASES else []


CONTROLLER = Controller("node-lifecycle", {NODE: itself, LEASE: _of_lease}, reconcile, source="node-controller")
