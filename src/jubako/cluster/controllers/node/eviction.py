"""Pods leave a node that has a taint which they do not tolerate, or no longer.

Spec: kubernetes/pkg/controller/tainteviction. A pod whose node is not there any more goes at once, since nothing of it
can run.
"""

from __future__ import annotations

from jubako.cluster.controllers import pods
from jubako.cluster.controllers.actions import Action, Delete, EmitEvent, Patch, delete, soonest
from jubako.cluster.controllers.conditions import is_true, made, without
from jubako.cluster.controllers.controller import Controller, itself
from jubako.cluster.controllers.kinds import NODE, POD, Key, key_of
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.scheduler.taints import taints, tolerated_for_s
from jubako.cluster.objects import (
    Object,
    is_deleting,
    listed,
    moment,
    name,
    namespace,
    objects,
    text,
    uid,
)


def reconcile(observed: Observed, key: Key) -> list[Action]:
    pod = observed.get(POD, key)
    if pod is None or not text(pod, "spec", "nodeName"):
        return []
    node = observed.get(NODE, Key("", text(pod, "spec", "nodeName")))
    if node is None:
        return _lost(observed, pod)
    if is_deleting(pod) or pods.is_finished(pod):
        return []
    left = _may_stay(observed, pod, node)
    if left is None:
        return []
    if left > 0:
        return soonest(left)
    about = f"Marking for deletion Pod {namespace(pod)}/{name(pod)}"
    told = EmitEvent(pod, "TaintManagerEviction", about)
    return [*_disrupted(observed, pod), delete(pod, deleted=told)]


def _may_stay(observed: Observed, pod: Object, node: Object) -> float | None:
    """How many seconds a pod may stay; None is for ever."""
    waits = []
    for taint in taints(node):
        if text(taint, "effect") != "NoExecute":
            continue
        if (limit := tolerated_for_s(pod, taint)) is not None:
            since = moment(text(taint, "timeAdded")) or observed.now
            waits.append(since + limit - observed.now if limit else 0.0)
    return min(waits, default=None)


def _disrupted(observed: Observed, pod: Object) -> list[Action]:
    """Say why before the pod goes."""
    if is_true(pod, "DisruptionTarget"):
        return []
    message = "Taint manager: deleting due to NoExecute taint"
    said = made("DisruptionTarget", "True", "DeletionByTaintManager", message, observed.now)
    conditions = [*without(objects(pod, "status", "conditions"), "DisruptionTarget"), said]
    change: Object = {"status": {"conditions": listed(conditions)}}
    return [Patch(POD, key_of(pod), uid(pod), change, text(pod, "metadata", "resourceVersion"), "status")]


def _lost(observed: Observed, pod: Object) -> list[Action]:
    # Only where nodes are known at all: a cache that has not heard of any knows nothing of this one.
    if not observed.all(NODE):
        return []
    return [Delete(POD, key_of(pod), uid(pod), grace_s=0)]


def _on_node(observed: Observed, node: Object) -> list[Key]:
    return [key_of(pod) for pod in observed.all(POD) if text(pod, "spec", "nodeName") == name(node)]


CONTROLLER = Controller("taint-eviction", {POD: itself, NODE: _on_node}, reconcile, source="taint-eviction-controller")
