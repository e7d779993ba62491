"""PodDisruptionBudget: how many of its pods may be evicted now.

Model: what was allowed to be evicted stands in status.disruptedPods until the pod is gone, or for two minutes.
Spec:  kubernetes/pkg/controller/disruption. A pod that nothing scales counts by itself, with minAvailable as a number.
"""

from __future__ import annotations

from jubako.cluster.controllers import pods
from jubako.cluster.controllers.actions import Action, EmitEvent, set_status, soonest
from jubako.cluster.controllers.conditions import condition, made
from jubako.cluster.controllers.controller import Controller, itself
from jubako.cluster.controllers.deployment.bounds import scaled
from jubako.cluster.controllers.kinds import (
    DEPLOYMENT,
    POD,
    POD_DISRUPTION_BUDGET,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    STATEFUL_SET,
    Key,
    Kind,
    key_of,
)
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.objects import (
    Object,
    at,
    controller_of,
    generation,
    is_deleting,
    labels,
    mapping,
    moment,
    name,
    namespace,
    number,
    strings,
    text,
    uid,
    without_nones,
)
from jubako.cluster.types.selection import matches

DELETION_S = 120.0
_SCALED = (DEPLOYMENT, REPLICA_SET, REPLICATION_CONTROLLER, STATEFUL_SET)


def reconcile(observed: Observed, key: Key) -> list[Action]:
    budget = observed.get(POD_DISRUPTION_BUDGET, key)
    if budget is None:
        return []
    chosen = [pod for pod in observed.all(POD, key.namespace) if selects(budget, pod) and not pods.is_finished(pod)]
    disrupted, wait = _disrupted(observed, budget, chosen)
    changed = set_status(budget, _status(observed, budget, chosen, disrupted))
    told = [EmitEvent(budget, "NoPods", "No matching pods found")] if changed and not chosen else []
    return [*changed, *told, *soonest(wait)]


def selects(budget: Object, pod: Object) -> bool:
    selector = at(budget, "spec", "selector")
    return selector is not None and matches(mapping(selector), labels(pod))


def _status(observed: Observed, budget: Object, chosen: list[Object], disrupted: dict[str, str]) -> Object:
    expected = _expected(observed, budget, chosen)
    desired = _desired(budget, expected)
    healthy = sum(pods.is_ready(pod) and not is_deleting(pod) and name(pod) not in disrupted for pod in chosen)
    allowed = max(healthy - desired, 0) if expected else 0
    reason = "SufficientPods" if allowed else "InsufficientPods"
    known = condition(budget, "DisruptionAllowed")
    allows = made("DisruptionAllowed", "True" if allowed else "False", reason, "", observed.now, known)
    return without_nones(
        {
            **mapping(budget, "status"),
            "conditions": [{**allows, "observedGeneration": generation(budget)}],
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "disruptedPods": {**disrupted} or None,
            "observedGeneration": generation(budget),
        }
    )


def _desired(budget: Object, expected: int) -> int:
    if (most := at(budget, "spec", "maxUnavailable")) is not None:
        return max(expected - scaled(most, expected, up=True), 0)
    return scaled(at(budget, "spec", "minAvailable"), expected, up=True)


def _expected(observed: Observed, budget: Object, chosen: list[Object]) -> int:
    """How many pods there should be: as many as there are, where the least is a number; else as their scalers want."""
    fewest = at(budget, "spec", "minAvailable")
    if isinstance(fewest, int):
        return len(chosen)
    wanted = {uid(scaler): scaler for pod in chosen if (scaler := _scaler(observed, pod)) is not None}
    return sum(number(each, "spec", "replicas", absent=1) for each in wanted.values())


def _scaler(observed: Observed, of: Object) -> Object | None:
    """The outermost controller of an object that says how many."""
    found = None
    reference = controller_of(of)
    while reference is not None:
        kind = Kind(text(reference, "apiVersion"), text(reference, "kind"))
        above = observed.get(kind, Key(namespace(of), text(reference, "name"))) if kind in _SCALED else None
        if above is None:
            break
        found, reference = above, controller_of(above)
    return found


def _disrupted(observed: Observed, budget: Object, chosen: list[Object]) -> tuple[dict[str, str], float | None]:
    """The pods that are allowed to go and are not gone, and in how many seconds the first is taken to stay."""
    present = {name(pod): pod for pod in chosen}
    left: dict[str, str] = {}
    waits: list[float] = []
    for pod, written in strings(budget, "status", "disruptedPods").items():
        remaining = (moment(written) or 0.0) + DELETION_S - observed.now
        if pod in present and not is_deleting(present[pod]) and remaining > 0:
            left[pod] = written
            waits.append(remaining)
    return left, min(waits, default=None)


def _of_pod(observed: Observed, pod: Object) -> list[Key]:
    budgets = observed.all(POD_DISRUPTION_BUDGET, namespace(pod))
    return [key_of(each) for each in budgets if selects(each, pod)]


def _of_scaler(observed: Observed, scaler: Object) -> list[Key]:
    return [key_of(each) for each in observed.all(POD_DISRUPTION_BUDGET, namespace(scaler))]


CONTROLLER = Controller(
    "disruption",
    {POD_DISRUPTION_BUDGET: itself, POD: _of_pod, **dict.fromkeys(_SCALED, _of_scaler)},
    reconcile,
    source="controllermanager",
)
