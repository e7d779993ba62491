"""Which nodes a DaemonSet's pods belong on, and the pod that it makes for one.

Spec: kubernetes/pkg/controller/daemon; the pod is for the scheduler to bind, its affinity names the node.
"""

from __future__ import annotations

from jubako.cluster.controllers.history import POD_LABEL
from jubako.cluster.controllers.pods import from_template, prefix
from jubako.cluster.controllers.scheduler.affinity import fits_node
from jubako.cluster.controllers.scheduler.taints import untolerated
from jubako.cluster.objects import Object, at, flag, listed, mapping, name, objects, put, text, words

_REQUIRED = ("spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


def made(daemon_set: Object, node: str, hash_: str) -> Object:
    """Return the pod for a node: its affinity names it, and it tolerates what keeps other pods away."""
    pod = from_template(mapping(daemon_set, "spec", "template"), daemon_set, generate=prefix(daemon_set))
    if hash_:
        pod = put(pod, hash_, "metadata", "labels", POD_LABEL)
    tolerated = [*objects(pod, "spec", "tolerations"), *_tolerations(pod)]
    return put(_to_node(pod, node), listed(tolerated), "spec", "tolerations")


def _tolerations(pod: Object) -> list[Object]:
    own = [("node.kubernetes.io/network-unavailable", "NoSchedule")] if flag(pod, "spec", "hostNetwork") else []
    wanted: list[Object] = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in (*_TOLERATED, *own)]
    return [each for each in wanted if each not in objects(pod, "spec", "tolerations")]


def _to_node(pod: Object, node: str) -> Object:
    """The pod's affinity, with the node's name as the only field of each term."""
    named: Object = {"key": "metadata.name", "operator": "In", "values": [node]}
    terms = objects(at(pod, *_REQUIRED), "nodeSelectorTerms") or [{}]
    own: list[Object] = [{**term, "matchFields": [named]} for term in terms]
    return put(pod, {"nodeSelectorTerms": listed(own)}, *_REQUIRED)


def node_of(pod: Object) -> str:
    """The node that a pod is on, or is meant for."""
    if bound := text(pod, "spec", "nodeName"):
        return bound
    for term in objects(at(pod, *_REQUIRED), "nodeSelectorTerms"):
        for field in objects(term, "matchFields"):
            if text(field, "key") == "metadata.name" and len(words(field, "values")) == 1:
                return words(field, "values")[0]
    return ""


def should_run(daemon_set: Object, node: Object) -> tuple[bool, bool]:
    """Whether a pod is to be on the node, and whether one that is there may stay."""
    pod = made(daemon_set, name(node), "")
    template_node = text(daemon_set, "spec", "template", "spec", "nodeName")
    if template_node not in ("", name(node)) or not fits_node(pod, node):
        return False, False
    if untolerated(pod, node) is None:
        return True, True
    return False, untolerated(pod, node, ("NoExecute",)) is None
