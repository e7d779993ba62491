"""What a StatefulSet does next: bring its ordinals about, take away what is too many, replace what is old.

Invariant: a pod is made only where none of its name is left, and none is ever deleted by force; so no identity runs
           twice. In order, nothing is made before its predecessors are available, and nothing removed while another is
           unwell.
Spec:      kubernetes/pkg/controller/statefulset/stateful_set_control.go.
"""

from __future__ import annotations

from jubako.cluster.controllers import pods
from jubako.cluster.controllers.actions import Action, Create, EmitEvent, Update, delete
from jubako.cluster.controllers.deployment.bounds import scaled
from jubako.cluster.controllers.history import is_of
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.statefulset import claims, identity
from jubako.cluster.controllers.statefulset.members import (
    Members,
    is_available,
    is_healthy,
    is_ordered,
    is_running_and_ready,
)
from jubako.cluster.objects import JSON, Object, at, is_deleting, mapping, name, namespace, number, text


def steps(observed: Observed, set_: Object, found: Members, current: Object, update: Object) -> list[Action]:
    """The next steps, of which those that wait for others are left out."""
    actions: list[Action] = []
    for number_, pod in found.wanted.items():
        done, waits = _bring_about(observed, set_, number_, pod, _revision_for(set_, number_, current, update))
        actions += done
        if waits and is_ordered(set_):
            return actions
    removed, waits = _condemn(observed, set_, found)
    actions += removed
    if waits or text(set_, "spec", "updateStrategy", "type") == "OnDelete":
        return actions
    return [*actions, *_replace(set_, found, update)]


def _bring_about(
    observed: Observed, set_: Object, number_: int, pod: Object | None, revision: Object
) -> tuple[list[Action], bool]:
    """The actions for one ordinal, and whether those after it have to wait."""
    needed = claims.missing(observed, set_, number_)
    if pod is None:
        return ([] if needed is None else [*needed, _create(set_, revision, number_)]), True
    if pods.is_finished(pod):
        return ([] if is_deleting(pod) else [_recreating(set_, pod), _delete(set_, pod)]), True
    repaired = _repaired(set_, pod)
    kept = claims.owned(observed, set_, pod, number_)
    missing = (needed or []) if pods.phase(pod) in ("", "Pending") else []
    waits = is_deleting(pod) or not is_available(set_, pod, observed.now)
    return [*missing, *repaired, *kept], waits


def _repaired(set_: Object, pod: Object) -> list[Action]:
    wanted = identity.identified(set_, pod)
    return [] if wanted is pod else [Update(wanted)]


def _condemn(observed: Observed, set_: Object, found: Members) -> tuple[list[Action], bool]:
    """Take away what is too many, the highest first; in order one at a time, and only while all others are well."""
    first_unwell = _first_unwell(found)
    actions: list[Action] = []
    for pod in found.condemned:
        actions += claims.owned(observed, set_, pod, identity.ordinal(pod))
        if not is_ordered(set_):
            actions += [] if is_deleting(pod) else [_delete(set_, pod)]
            continue
        unwell = not is_running_and_ready(pod) or not is_available(set_, pod, observed.now)
        unwell = unwell and not pods.is_finished(pod)
        if is_deleting(pod) or (unwell and pod is not first_unwell):
            return actions, True
        return [*actions, _delete(set_, pod)], True
    return actions, False


def _first_unwell(found: Members) -> Object | None:
    """Return the first pod to be waited for; one that has ended and is too many gets well no more."""
    over = {name(pod) for pod in found.condemned if pods.is_finished(pod)}
    ordered = sorted((pod for pod in found.present if name(pod) not in over), key=identity.ordinal)
    return next((pod for pod in ordered if not is_healthy(pod)), None)


def _replace(set_: Object, found: Members, update: Object) -> list[Action]:
    """Delete the highest pod of an old revision; nothing beneath it before it is well again. With maxUnavailable as
    many as may be away at once."""
    partition = number(set_, "spec", "updateStrategy", "rollingUpdate", "partition")
    lowest = identity.start(set_) + partition
    most = at(set_, "spec", "updateStrategy", "rollingUpdate", "maxUnavailable")
    if most is not None:
        away = sum(pod is None or not is_healthy(pod) for pod in found.wanted.values())
        old = [pod for number_, pod in sorted(found.wanted.items(), reverse=True) if number_ >= lowest and pod]
        old = [pod for pod in old if not is_of(pod, name(update)) and not is_deleting(pod)]
        return [_delete(set_, pod) for pod in old[: max(_most_away(set_, most) - away, 0)]]
    for number_ in sorted(found.wanted, reverse=True):
        pod = found.wanted[number_]
        if number_ < lowest:
            break
        if pod is not None and not is_of(pod, name(update)) and not is_deleting(pod):
            return [_delete(set_, pod)]
        if not is_healthy(pod):
            break
    return []


def _most_away(set_: Object, most: JSON) -> int:
    return scaled(most, number(set_, "spec", "replicas", absent=1), up=False) or 1


def _revision_for(set_: Object, number_: int, current: Object, update: Object) -> Object:
    """A new pod is of the update, except beneath the partition (and, without one given, among those still current)."""
    strategy = mapping(set_, "spec", "updateStrategy")
    if text(strategy, "type") == "OnDelete":
        return update
    rolling = strategy.get("rollingUpdate")
    kept = number(rolling, "partition") if rolling is not None else number(set_, "status", "currentReplicas")
    return current if number_ < identity.start(set_) + kept else update


def _create(set_: Object, revision: Object, number_: int) -> Action:
    pod = identity.made(set_, revision, number_)
    about = f"create Pod {name(pod)} in StatefulSet {name(set_)}"
    return Create(
        pod,
        created=EmitEvent(set_, "SuccessfulCreate", f"{about} successful"),
        refused=EmitEvent(set_, "FailedCreate", f"{about} failed error: {{error}}", "Warning"),
    )


def _recreating(set_: Object, pod: Object) -> Action:
    message = f"StatefulSet {namespace(set_)}/{name(set_)} is recreating failed Pod {name(pod)}"
    return EmitEvent(set_, "RecreatingFailedPod", message, "Warning")


def _delete(set_: Object, pod: Object) -> Action:
    about = f"delete Pod {name(pod)} in StatefulSet {name(set_)}"
    return delete(
        pod,
        deleted=EmitEvent(set_, "SuccessfulDelete", f"{about} successful"),
        refused=EmitEvent(set_, "FailedDelete", f"{about} failed error: {{error}}", "Warning"),
    )
