"""Which pods make room for one that is more important.

Model:  on each node that all less important pods together could free, they are taken back one by one, the most
        important first, as long as there is room; the rest are its victims. Of the nodes the one whose victims are
        missed least is taken: fewest against their budgets, then the least important, the fewest, the youngest.
        The pod is nominated for it, so that nobody less important takes the room meanwhile.
Spec:   "Pod Priority and Preemption"; kubernetes/pkg/scheduler/framework/preemption.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jubako.cluster.controllers.actions import Action, Delete, EmitEvent, Patch
from jubako.cluster.controllers.conditions import with_condition
from jubako.cluster.controllers.disruption import selects
from jubako.cluster.controllers.kinds import POD, POD_DISRUPTION_BUDGET, key_of
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.scheduler.filters import Refusal, Surroundings, priority, refusal
from jubako.cluster.objects import (
    Object,
    is_deleting,
    listed,
    mapping,
    moment,
    name,
    namespace,
    number,
    objects,
    text,
    uid,
)


@dataclass(frozen=True)
class Choice:
    """A node, the pods that go from it, and how many of these go against their budgets."""

    node: str
    victims: list[Object]
    violations: int

    @property
    def loss(self) -> tuple[float, ...]:
        values = [priority(each) for each in self.victims]
        first = min(_begun(each) for each in self.victims if priority(each) == max(values))
        return self.violations, max(values), sum(values), len(values), -first


def obstacle(pod: Object, around: Surroundings) -> str:
    """Return why a pod may not ask others to go, "" where it may."""
    if text(pod, "spec", "preemptionPolicy") == "Never":
        return "not eligible due to preemptionPolicy=Never."
    there = around.by_node.get(text(pod, "status", "nominatedNodeName"), [])
    if any(is_deleting(each) and priority(each) < priority(pod) for each in there):
        return "not eligible due to a terminating pod on the nominated node."
    return ""


def choose(
    observed: Observed, pod: Object, around: Surroundings, refusals: Mapping[str, Refusal | None]
) -> Choice | None:
    """Return who is to go for a pod that no node has room for; None where that is no help."""
    open_to_it = [node for node in around.nodes if (why := refusals[name(node)]) is not None and not why.hopeless]
    found = [choice for node in open_to_it if (choice := _on(observed, pod, node, around)) is not None]
    return min(found, key=lambda each: (each.loss, each.node), default=None)


def evictions(choice: Choice, pod: Object, now: float) -> list[Action]:
    """Say to each victim why it goes, and delete it."""
    why = ("DisruptionTarget", "True", "PreemptionByScheduler", _PREEMPTING)
    done: list[Action] = []
    for victim in choice.victims:
        if is_deleting(victim):
            continue
        conditions = with_condition(objects(victim, "status", "conditions"), *why, now)
        status: Object = {"status": {"conditions": listed(conditions)}}
        told = EmitEvent(victim, "Preempted", f"Preempted by pod {uid(pod)} on node {choice.node}", action="Preempting")
        done.append(Patch(POD, key_of(victim), uid(victim), status, subresource="status"))
        done.append(Delete(POD, key_of(victim), uid(victim), deleted=told))
    return done


_PREEMPTING = "default-scheduler: preempting to accommodate a higher priority pod"


def _on(observed: Observed, pod: Object, node: Object, around: Surroundings) -> Choice | None:
    lesser = [each for each in around.on(node) if priority(each) < priority(pod)]
    kept = [each for each in around.on(node) if priority(each) >= priority(pod)]
    if not lesser or refusal(pod, node, around.having(node, kept)) is not None:
        return None
    against, others = _by_budgets(observed, sorted(lesser, key=lambda each: (-priority(each), _begun(each))))
    victims: list[Object] = []
    for each in (*against, *others):
        if refusal(pod, node, around.having(node, [*kept, each])) is None:
            kept.append(each)
        else:
            victims.append(each)
    violations = sum(any(each is other for other in against) for each in victims)
    return Choice(name(node), victims, violations) if victims else None


def _by_budgets(observed: Observed, pods: list[Object]) -> tuple[list[Object], list[Object]]:
    """Return the pods that may not go by their budgets, and the others, both in their order."""
    left: dict[str, int] = {}
    against: list[Object] = []
    others: list[Object] = []
    for pod in pods:
        over = False
        for budget in observed.all(POD_DISRUPTION_BUDGET, namespace(pod)):
            if selects(budget, pod) and name(pod) not in mapping(budget, "status", "disruptedPods"):
                allowed = left.get(uid(budget), number(budget, "status", "disruptionsAllowed"))
                left[uid(budget)] = allowed - 1
                over = over or allowed <= 0
        (against if over else others).append(pod)
    return against, others


def _begun(pod: Object) -> float:
    return moment(text(pod, "status", "startTime")) or 0.0
