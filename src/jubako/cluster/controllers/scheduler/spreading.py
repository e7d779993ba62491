"""Spreading pods evenly over the domains of a topology.

Model: for each constraint that is not to be broken, the pods that it selects are counted in each domain; a node is
       refused when its domain would have more than maxSkew more than the emptiest. With fewer domains than minDomains
       the emptiest is taken to have none.
Spec:  core/v1 TopologySpreadConstraint.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from jubako.cluster.controllers.scheduler.affinity import fits_node
from jubako.cluster.objects import Object, is_deleting, labels, mapping, namespace, number, objects, text
from jubako.cluster.types.selection import matches

WORDS = "node(s) didn't match pod topology spread constraints"


def refusal(pod: Object, node: Object, nodes: list[Object], on: Callable[[Object], list[Object]]) -> str | None:
    """Why a node would break the pod's constraints; `on` gives the pods of a node."""
    binding = [
        each
        for each in objects(pod, "spec", "topologySpreadConstraints")
        if text(each, "whenUnsatisfiable") != "ScheduleAnyway"
    ]
    keys = {text(each, "topologyKey") for each in binding}
    if not keys <= labels(node).keys():
        return f"{WORDS} (missing required label)"
    eligible = [each for each in nodes if keys <= labels(each).keys() and fits_node(pod, each)]
    return WORDS if any(_breaks(each, pod, node, eligible, on) for each in binding) else None


def _breaks(
    constraint: Object, pod: Object, node: Object, nodes: list[Object], on: Callable[[Object], list[Object]]
) -> bool:
    key, selector = text(constraint, "topologyKey"), mapping(constraint, "labelSelector")
    counts: Counter[str] = Counter({labels(each)[key]: 0 for each in nodes})
    for each in nodes:
        counts[labels(each)[key]] += sum(_counts(constraint, pod, other) for other in on(each))
    enough = len(counts) >= number(constraint, "minDomains", absent=1)
    emptiest = min(counts.values(), default=0) if enough else 0
    itself = matches(selector, labels(pod)) if "labelSelector" in constraint else False
    return counts[labels(node)[key]] + itself - emptiest > number(constraint, "maxSkew", absent=1)


def _counts(constraint: Object, pod: Object, other: Object) -> bool:
    if "labelSelector" not in constraint or is_deleting(other) or namespace(other) != namespace(pod):
        return False
    return matches(mapping(constraint, "labelSelector"), labels(other))
