"""Which nodes a pod fits, and in Kubernetes' words why not.

Model: filters in Kubernetes' order; the first that a node does not pass gives its reasons. `hopeless` says that no
       other pod's going would help, which is what Kubernetes says of preemption.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from jubako.cluster.controllers.kinds import NAMESPACE, NODE, POD
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.pods import is_finished
from jubako.cluster.controllers.scheduler import affinity, resources, spreading, volumes
from jubako.cluster.controllers.scheduler.taints import UNSCHEDULABLE, tolerates, tolerations, untolerated
from jubako.cluster.objects import Object, flag, is_deleting, name, number, text, uid


@dataclass(frozen=True)
class Refusal:
    reasons: list[str]
    hopeless: bool = True


@dataclass(frozen=True)
class Surroundings:
    """The nodes and the pods on them, as one pod's scheduling sees them."""

    nodes: list[Object]
    by_node: Mapping[str, list[Object]]
    namespaces: Mapping[str, Object]
    claims: volumes.Claims

    @classmethod
    def of(cls, observed: Observed, pod: Object) -> Surroundings:
        by_node: dict[str, list[Object]] = {}
        for each in observed.all(POD):
            if (node := _place(each, pod)) and not is_finished(each):
                by_node.setdefault(node, []).append(each)
        nodes = sorted((each for each in observed.all(NODE) if not is_deleting(each)), key=name)
        spaces = {name(each): each for each in observed.all(NAMESPACE)}
        return cls(nodes, by_node, spaces, volumes.claims(observed, pod))

    def having(self, node: Object, pods: list[Object]) -> Surroundings:
        """The same, if just these pods were on a node."""
        return replace(self, by_node={**self.by_node, name(node): pods})

    def on(self, node: Object) -> list[Object]:
        return self.by_node.get(name(node), [])


def priority(pod: Object) -> int:
    return number(pod, "spec", "priority")


def _place(pod: Object, coming: Object) -> str:
    """Return where a pod is, or is to be as soon as others have gone from there; who is less important waits for it."""
    if bound := text(pod, "spec", "nodeName"):
        return bound
    waits = not is_deleting(pod) and uid(pod) != uid(coming) and priority(pod) >= priority(coming)
    return text(pod, "status", "nominatedNodeName") if waits else ""


Filter = Callable[[Object, Object, Surroundings], Refusal | None]


def _unschedulable(pod: Object, node: Object, _: Surroundings) -> Refusal | None:
    taint: Object = {"key": UNSCHEDULABLE, "effect": "NoSchedule"}
    if not flag(node, "spec", "unschedulable") or any(tolerates(each, taint) for each in tolerations(pod)):
        return None
    return Refusal(["node(s) were unschedulable"])


def _tainted(pod: Object, node: Object, _: Surroundings) -> Refusal | None:
    taint = untolerated(pod, node)
    if taint is None:
        return None
    return Refusal([f"node(s) had untolerated taint {{{text(taint, 'key')}: {text(taint, 'value')}}}"])


def _elsewhere(pod: Object, node: Object, _: Surroundings) -> Refusal | None:
    if affinity.fits_node(pod, node):
        return None
    return Refusal(["node(s) didn't match Pod's node affinity/selector"])


def _ports_taken(pod: Object, node: Object, around: Surroundings) -> Refusal | None:
    if not resources.ports_clash(pod, around.on(node)):
        return None
    return Refusal(["node(s) didn't have free ports for the requested pod ports"], hopeless=False)


def _full(pod: Object, node: Object, around: Surroundings) -> Refusal | None:
    lacking, never = resources.insufficient(pod, node, around.on(node))
    return Refusal(lacking, hopeless=never) if lacking else None


def _volumes_elsewhere(_: Object, node: Object, around: Surroundings) -> Refusal | None:
    if volumes.reachable(around.claims, node):
        return None
    return Refusal(["node(s) had volume node affinity conflict"])


def _uneven(pod: Object, node: Object, around: Surroundings) -> Refusal | None:
    why = spreading.refusal(pod, node, around.nodes, around.on)
    return Refusal([why], hopeless=why != spreading.WORDS) if why else None


def _apart(pod: Object, node: Object, around: Surroundings) -> Refusal | None:
    """Affinity: each term has to find a pod in the node's domain; the first of its kind finds itself."""
    for term in affinity.affinity_terms(pod):
        found = [each for each, _ in _meant(term, pod, around)]
        if not found and affinity.term_selects(term, pod, pod, around.namespaces):
            continue
        if not any(affinity.same_domain(term, node, other) for _, other in _meant(term, pod, around)):
            return Refusal(["node(s) didn't match pod affinity rules"])
    return None


def _too_close(pod: Object, node: Object, around: Surroundings) -> Refusal | None:
    for term in affinity.anti_affinity_terms(pod):
        if any(affinity.same_domain(term, node, other) for _, other in _meant(term, pod, around)):
            return Refusal(["node(s) didn't match pod anti-affinity rules"], hopeless=False)
    for other in around.nodes:
        for present in around.on(other):
            for term in affinity.anti_affinity_terms(present):
                meant = affinity.term_selects(term, present, pod, around.namespaces)
                if meant and affinity.same_domain(term, node, other):
                    return Refusal(["node(s) didn't satisfy existing pods anti-affinity rules"], hopeless=False)
    return None


def _meant(term: Object, pod: Object, around: Surroundings) -> list[tuple[Object, Object]]:
    """The pods that a term means, each with its node."""
    return [
        (each, node)
        for node in around.nodes
        for each in around.on(node)
        if affinity.term_selects(term, pod, each, around.namespaces)
    ]


FILTERS: tuple[Filter, ...] = (
    _unschedulable,
    _tainted,
    _elsewhere,
    _ports_taken,
    _full,
    _volumes_elsewhere,
    _uneven,
    _apart,
    _too_close,
)


def refusal(pod: Object, node: Object, around: Surroundings) -> Refusal | None:
    return next((found for each in FILTERS if (found := each(pod, node, around)) is not None), None)


def explain(refusals: list[Refusal], preemption: str | None = None) -> str:
    """Kubernetes' sentence on why no node is left, and on `preemption` what there is to say, if not the usual."""
    total = len(refusals)
    reasons = sorted(_counted([reason for each in refusals for reason in each.reasons]))
    head = f"0/{total} nodes are available:"
    said = f"{head} {_unhelpful(refusals)}." if preemption is None else preemption
    told = f"{head} {', '.join(reasons)}."
    return f"{told} preemption: {said}" if said else told


def _unhelpful(refusals: list[Refusal]) -> str:
    total = len(refusals)
    hopeless = sum(each.hopeless for each in refusals)
    preemption = ["Preemption is not helpful for scheduling"] * hopeless
    preemption += ["No preemption victims found for incoming pod"] * (total - hopeless)
    return ", ".join(sorted(_counted(preemption)))


def explain_obstacle(obstacle: str, total: int) -> str:
    """The same, for what keeps a pod from all nodes alike."""
    head = f"0/{total} nodes are available:"
    return f"{head} {obstacle}. preemption: {head} {total} Preemption is not helpful for scheduling."


def _counted(reasons: list[str]) -> list[str]:
    return [f"{reasons.count(each)} {each}" for each in dict.fromkeys(reasons)]
