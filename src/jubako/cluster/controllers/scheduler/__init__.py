"""The scheduler: gives each pod a node, or says why there is none.

affinity, taints, resources, volumes, spreading    what a pod asks of a node
filters                                            which nodes are left, and why not the others
preemption                                         who makes room for whom

Of several nodes the one with the fewest pods is taken; what is only preferred is not weighed.
Spec: kubernetes/pkg/scheduler.
"""

from __future__ import annotations

from collections.abc import Mapping

from jubako.cluster.controllers.actions import Action, Bind, EmitEvent, Patch, patch
from jubako.cluster.controllers.conditions import condition, made, without
from jubako.cluster.controllers.controller import Controller
from jubako.cluster.controllers.kinds import (
    NODE,
    PERSISTENT_VOLUME,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    POD_DISRUPTION_BUDGET,
    Key,
    key_of,
)
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.pods import is_finished
from jubako.cluster.controllers.scheduler.filters import Refusal, Surroundings, explain, explain_obstacle, refusal
from jubako.cluster.controllers.scheduler.preemption import choose, evictions, obstacle
from jubako.cluster.controllers.scheduler.volumes import SELECTED_NODE
from jubako.cluster.objects import (
    Object,
    annotated,
    is_deleting,
    listed,
    name,
    namespace,
    objects,
    text,
    uid,
)

NAME = "default-scheduler"


def is_pending(pod: Object) -> bool:
    """Whether a pod waits for this scheduler."""
    if text(pod, "spec", "nodeName") or is_deleting(pod) or is_finished(pod):
        return False
    return text(pod, "spec", "schedulerName") in ("", NAME)


def reconcile(observed: Observed, key: Key) -> list[Action]:
    pod = observed.get(POD, key)
    if pod is None or not is_pending(pod):
        return []
    if objects(pod, "spec", "schedulingGates"):
        return _say(observed, pod, "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates")
    around = Surroundings.of(observed, pod)
    if not around.nodes:
        return _fail(observed, pod, "no nodes available to schedule pods")
    if around.claims.obstacle:
        return _fail(observed, pod, explain_obstacle(around.claims.obstacle, len(around.nodes)))
    refusals = {name(node): refusal(pod, node, around) for node in around.nodes}
    left = [node for node in around.nodes if refusals[name(node)] is None]
    if not left:
        return _make_room(observed, pod, around, refusals)
    node = min(left, key=lambda each: (len(around.on(each)), name(each)))
    if around.claims.waiting:
        return _reserve(around.claims.waiting, name(node))
    return [_bind(pod, name(node))]


def _make_room(
    observed: Observed, pod: Object, around: Surroundings, refusals: Mapping[str, Refusal | None]
) -> list[Action]:
    """Ask less important pods to go, or say why there is no place."""
    told = [each for each in refusals.values() if each is not None]
    if why := obstacle(pod, around):
        return _fail(observed, pod, explain(told, why))
    choice = choose(observed, pod, around, refusals)
    if choice is None:
        return _fail(observed, pod, explain(told))
    return [*_fail(observed, pod, explain(told, ""), choice.node), *evictions(choice, pod, observed.now)]


def _reserve(waiting: list[Object], node: str) -> list[Action]:
    """Tell whoever makes volumes where they are needed; the pod gets its node when all are bound."""
    return [
        patch(claim, {"metadata": {"annotations": {SELECTED_NODE: node}}})
        for claim in waiting
        if annotated(claim).get(SELECTED_NODE) != node
    ]


def _bind(pod: Object, node: str) -> Action:
    message = f"Successfully assigned {namespace(pod)}/{name(pod)} to {node}"
    return Bind(key_of(pod), uid(pod), node, EmitEvent(pod, "Scheduled", message, action="Binding"))


def _fail(observed: Observed, pod: Object, message: str, nominated: str = "") -> list[Action]:
    told = EmitEvent(pod, "FailedScheduling", message, "Warning", action="Scheduling")
    said = _say(observed, pod, "Unschedulable", message, nominated)
    return [*said, told] if said else []


def _say(observed: Observed, pod: Object, reason: str, message: str, nominated: str = "") -> list[Action]:
    known = condition(pod, "PodScheduled")
    place = nominated or text(pod, "status", "nominatedNodeName")
    same = known and (text(known, "reason"), text(known, "message")) == (reason, message)
    if same and place == text(pod, "status", "nominatedNodeName"):
        return []
    said = made("PodScheduled", "False", reason, message, observed.now, known)
    conditions = [*without(objects(pod, "status", "conditions"), "PodScheduled"), said]
    change: Object = {"status": {"conditions": listed(conditions), **({"nominatedNodeName": place} if place else {})}}
    return [Patch(POD, key_of(pod), uid(pod), change, text(pod, "metadata", "resourceVersion"), "status")]


def _pending(observed: Observed, _: Object) -> list[Key]:
    """What makes or gives room concerns every pod that waits."""
    return [key_of(pod) for pod in observed.all(POD) if is_pending(pod)]


def _of_pod(observed: Observed, pod: Object) -> list[Key]:
    gives_room = bool(text(pod, "spec", "nodeName")) and (is_finished(pod) or observed.get(POD, key_of(pod)) is None)
    return _pending(observed, pod) if gives_room else [key_of(pod)]


CONTROLLER = Controller(
    "scheduler",
    {
        POD: _of_pod,
        NODE: _pending,
        PERSISTENT_VOLUME: _pending,
        PERSISTENT_VOLUME_CLAIM: _pending,
        POD_DISRUPTION_BUDGET: lambda observed, budget: [],  # looked at when others are to go
    },
    reconcile,
    source=NAME,
)
