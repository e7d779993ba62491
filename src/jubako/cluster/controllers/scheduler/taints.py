"""Taints of nodes and tolerations of pods.

Spec: core/v1 Toleration: an empty key with Exists tolerates every taint, an empty effect every effect.
"""

from __future__ import annotations

from collections.abc import Iterable

from jubako.cluster.objects import Object, number, objects, text

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
REPELLING = ("NoSchedule", "NoExecute")


def taints(node: Object) -> list[Object]:
    return objects(node, "spec", "taints")


def tolerations(pod: Object) -> list[Object]:
    return objects(pod, "spec", "tolerations")


def tolerates(toleration: Object, taint: Object) -> bool:
    if text(toleration, "effect") not in ("", text(taint, "effect")):
        return False
    if text(toleration, "key") not in ("", text(taint, "key")):
        return False
    match text(toleration, "operator") or "Equal":
        case "Exists":
            return True
        case "Equal":
            return bool(text(toleration, "key")) and text(toleration, "value") == text(taint, "value")
    return False


def untolerated(pod: Object, node: Object, effects: Iterable[str] = REPELLING) -> Object | None:
    """The first taint of these effects that a pod does not tolerate."""
    held = tolerations(pod)
    for taint in taints(node):
        if text(taint, "effect") in effects and not any(tolerates(each, taint) for each in held):
            return taint
    return None


def tolerated_for_s(pod: Object, taint: Object) -> float | None:
    """How long a pod may stay with a NoExecute taint: None for ever, 0 not at all."""
    matching = [each for each in tolerations(pod) if tolerates(each, taint)]
    if not matching:
        return 0.0
    limited = [max(number(each, "tolerationSeconds"), 0) for each in matching if "tolerationSeconds" in each]
    return float(min(limited)) if limited else None
