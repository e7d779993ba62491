"""DaemonSet: a pod on each node that it fits.

placement    which nodes, and the pod for one
rollout      which pods an update replaces next

Spec: kubernetes/pkg/controller/daemon.
"""

from __future__ import annotations

from jubako.cluster.controllers import history, pods
from jubako.cluster.controllers.actions import Action, EmitEvent, set_status, soonest
from jubako.cluster.controllers.controller import Controller, claimant, itself, owner
from jubako.cluster.controllers.daemonset.placement import made, node_of, should_run
from jubako.cluster.controllers.daemonset.rollout import place, to_replace
from jubako.cluster.controllers.history import History, is_of
from jubako.cluster.controllers.kinds import CONTROLLER_REVISION, DAEMON_SET, NODE, POD, Key, key_of
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.selectors import claim, selects
from jubako.cluster.objects import (
    Object,
    created,
    generation,
    is_deleting,
    labels,
    mapping,
    name,
    namespace,
    number,
    text,
    without_nones,
)

_FIRST_WAIT_S = 1.0
"""A failed pod is replaced at once, but one that was made less than this ago a little later, so that it cannot spin."""


def reconcile(observed: Observed, key: Key) -> list[Action]:
    daemon_set = observed.get(DAEMON_SET, key)
    if daemon_set is None:
        return []
    revisions = history.history(observed, daemon_set, history.POD_LABEL)
    if revisions.update is None:
        return revisions.actions
    hash_ = labels(revisions.update).get(history.POD_LABEL, "")
    claimed = claim(observed, POD, daemon_set)
    wanted, bearable = _nodes(observed, daemon_set)
    by_node: dict[str, list[Object]] = {}
    for pod in claimed.objects:
        by_node.setdefault(node_of(pod), []).append(pod)
    actions = [*revisions.actions, *claimed.actions]
    actions += set_status(daemon_set, _status(observed, daemon_set, wanted, by_node, hash_))
    if not is_deleting(daemon_set):
        actions += _manage(observed, daemon_set, wanted, bearable, by_node, hash_)
    wait = pods.until_available(claimed.objects, number(daemon_set, "spec", "minReadySeconds"), observed.now)
    return [*actions, *_tidy(daemon_set, revisions, claimed.objects), *soonest(wait)]


def _nodes(observed: Observed, daemon_set: Object) -> tuple[list[str], set[str]]:
    """The names of the nodes that are to have a pod, and of those where one may stay."""
    decided = {name(node): should_run(daemon_set, node) for node in observed.all(NODE)}
    return sorted(each for each, (run, _) in decided.items() if run), {
        each for each, (_, stay) in decided.items() if stay
    }


def _manage(
    observed: Observed,
    daemon_set: Object,
    wanted: list[str],
    bearable: set[str],
    by_node: dict[str, list[Object]],
    hash_: str,
) -> list[Action]:
    actions: list[Action] = []
    for node in wanted:
        lasting = [pod for pod in by_node.get(node, []) if not pods.is_finished(pod)]
        if not by_node.get(node):
            actions.append(_create(daemon_set, node, hash_))
        actions += _end_finished(observed, daemon_set, node, by_node.get(node, []))
        actions += _without_twins(daemon_set, lasting, hash_)
    for node, present in by_node.items():
        if node not in bearable and node in {name(each) for each in observed.all(NODE)}:
            actions += [pods.deletion(daemon_set, pod) for pod in present if not is_deleting(pod)]
    if actions or text(daemon_set, "spec", "updateStrategy", "type") == "OnDelete":
        return actions
    old, beside = to_replace(daemon_set, [place(node, by_node.get(node, []), hash_) for node in wanted], observed.now)
    return [*(pods.deletion(daemon_set, pod) for pod in old), *(_create(daemon_set, node, hash_) for node in beside)]


def _end_finished(observed: Observed, daemon_set: Object, node: str, present: list[Object]) -> list[Action]:
    """A daemon does not end: what has is told of, deleted, and made again."""
    actions: list[Action] = []
    for pod in present:
        if is_deleting(pod) or not pods.is_finished(pod):
            continue
        wait = created(pod) + _FIRST_WAIT_S - observed.now
        if wait > 0:
            actions += soonest(wait)
            continue
        which = f"daemon pod {namespace(pod)}/{name(pod)} on node {node}"
        if pods.phase(pod) == "Failed":
            message = f"Found failed {which}, will try to kill it"
            actions.append(EmitEvent(daemon_set, "FailedDaemonPod", message, "Warning"))
        else:
            message = f"Found succeeded {which}, will try to delete it"
            actions.append(EmitEvent(daemon_set, "SucceededDaemonPod", message))
        actions.append(pods.deletion(daemon_set, pod))
    return actions


def _without_twins(daemon_set: Object, lasting: list[Object], hash_: str) -> list[Action]:
    """Of several pods of one template on a node the oldest stays."""
    kept = [pod for pod in sorted(lasting, key=created) if not is_deleting(pod)]
    same = [pod for pod in kept if is_of(pod, hash_)]
    other = [pod for pod in kept if not is_of(pod, hash_)]
    return [pods.deletion(daemon_set, pod) for pod in (*same[1:], *other[1:])]


def _create(daemon_set: Object, node: str, hash_: str) -> Action:
    return pods.creation(daemon_set, made(daemon_set, node, hash_))


def _status(
    observed: Observed, daemon_set: Object, wanted: list[str], by_node: dict[str, list[Object]], hash_: str
) -> Object:
    min_ready_s = number(daemon_set, "spec", "minReadySeconds")
    first = {node: min(by_node[node], key=created) for node in wanted if by_node.get(node)}
    available = sum(pods.is_available(pod, min_ready_s, observed.now) for pod in first.values())
    return without_nones(
        {
            **mapping(daemon_set, "status"),
            "currentNumberScheduled": len(first),
            "desiredNumberScheduled": len(wanted),
            "numberMisscheduled": sum(bool(present) and node not in wanted for node, present in by_node.items()),
            "numberReady": sum(pods.is_ready(pod) for pod in first.values()),
            "updatedNumberScheduled": sum(is_of(pod, hash_) for pod in first.values()) or None,
            "numberAvailable": available or None,
            "numberUnavailable": len(wanted) - available or None,
            "observedGeneration": generation(daemon_set),
        }
    )


def _tidy(daemon_set: Object, revisions: History, present: list[Object]) -> list[Action]:
    hashes = {labels(pod).get(history.POD_LABEL, "") for pod in present}
    used = {name(each) for each in revisions.all if labels(each).get(history.POD_LABEL) in hashes}
    current = {name(revisions.update)} if revisions.update else set()
    return history.surplus(daemon_set, revisions, used | current)


def _every(observed: Observed, _: Object) -> list[Key]:
    return [key_of(each) for each in observed.all(DAEMON_SET)]


CONTROLLER = Controller(
    "daemonset",
    {
        DAEMON_SET: itself,
        POD: claimant(DAEMON_SET, selects),
        CONTROLLER_REVISION: owner(DAEMON_SET),
        NODE: _every,
    },
    reconcile,
)
