"""What a Deployment needs next. Each step that changes something ends the call; the change brings the next one."""

from __future__ import annotations

from collections.abc import Iterable

from jubako.cluster.controllers.actions import (
    Action,
    Create,
    EmitEvent,
    Update,
    UpdateStatus,
    delete,
    patch,
    set_status,
    soonest,
)
from jubako.cluster.controllers.conditions import condition
from jubako.cluster.controllers.controller import owner
from jubako.cluster.controllers.deployment import status as statuses
from jubako.cluster.controllers.deployment.bounds import (
    deadline_s,
    is_rolling,
    max_surge,
    replicas_of,
    resize,
    scaling,
)
from jubako.cluster.controllers.deployment.revisions import (
    REVISION,
    Revisions,
    has_template,
    made,
    next_revision,
    pods_of,
    renewed_annotations,
    revision,
    revisions,
    selects_all,
)
from jubako.cluster.controllers.deployment.rolling import new_replicas, roll
from jubako.cluster.controllers.deployment.scaling import scale, was_resized
from jubako.cluster.controllers.kinds import DEPLOYMENT, REPLICA_SET, Key, key_of
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.pods import is_finished
from jubako.cluster.controllers.selectors import claim
from jubako.cluster.objects import (
    Object,
    annotated,
    controller_of,
    flag,
    generation,
    is_controlled_by,
    is_deleting,
    mapping,
    name,
    namespace,
    number,
    objects,
    put,
    text,
)

_IN_TIME_S = 1.0
"""A check for the deadline comes so much later than it, so that it does not come a moment too early."""


def reconcile(observed: Observed, key: Key) -> list[Action]:
    deployment = observed.get(DEPLOYMENT, key)
    if deployment is None:
        return []
    if selects_all(deployment):
        return _refuse_selector(deployment)
    claimed = claim(observed, REPLICA_SET, deployment)
    if claimed.actions:
        return claimed.actions
    found = revisions(observed, deployment, claimed.objects)
    if is_deleting(deployment):
        return _report(observed, deployment, found)
    if (conditions := statuses.paused_conditions(deployment, observed.now)) is not None:
        return _set_conditions(deployment, conditions)
    return _sync(observed, deployment, found)


def _sync(observed: Observed, deployment: Object, found: Revisions) -> list[Action]:
    if renewed := _renew(deployment, found):
        return renewed
    if flag(deployment, "spec", "paused"):
        return [*(scale(deployment, found) or _tidy(deployment, found)), *_report(observed, deployment, found)]
    if was_resized(deployment, found) and (steps := scale(deployment, found)):
        return [*steps, *_report(observed, deployment, found)]
    steps = _roll(observed, deployment, found) if is_rolling(deployment) else _recreate(observed, deployment, found)
    if any(isinstance(each, UpdateStatus) for each in steps):
        return steps
    if not steps and statuses.is_complete(deployment, mapping(deployment, "status")):
        steps = _tidy(deployment, found)
    conditions = statuses.rollout_conditions(deployment, found, observed.now)
    return [*steps, *_report(observed, deployment, found, conditions), *_watch_deadline(observed, deployment)]


def _roll(observed: Observed, deployment: Object, found: Revisions) -> list[Action]:
    return roll(deployment, found) if found.new else _create(observed, deployment, found)


def _recreate(observed: Observed, deployment: Object, found: Revisions) -> list[Action]:
    """Nothing of the new version before the last pod of the old ones is gone."""
    active = [each for each in found.old if each.replicas]
    if active:
        return [action for each in active for action in resize(deployment, each, 0)]
    if not all(is_finished(pod) for pod in pods_of(observed, found.old)):
        return []
    if found.new is None:
        return _create(observed, deployment, found)
    return resize(deployment, found.new, replicas_of(deployment))


def _create(observed: Observed, deployment: Object, found: Revisions) -> list[Action]:
    wanted = made(deployment, replicas_of(deployment), max_surge(deployment), next_revision(found.old))
    taken = observed.get(REPLICA_SET, key_of(wanted))
    if taken is not None:
        return _count_collision(deployment, taken)
    size = new_replicas(deployment, None, found.all) if is_rolling(deployment) else replicas_of(deployment)
    refused = EmitEvent(
        deployment, "ReplicaSetCreateError", 'Failed to create new replica set "{name}": {error}', "Warning"
    )
    steps: list[Action] = [Create(put(wanted, size, "spec", "replicas"), refused=refused)]
    if size:
        steps.append(scaling(deployment, name(wanted), 0, size))
    if deadline_s(deployment) is None:
        return steps
    message = f'Created new replica set "{name(wanted)}"'
    return [*steps, *_progress(observed, deployment, "NewReplicaSetCreated", message)]


def _count_collision(deployment: Object, taken: Object) -> list[Action]:
    """The name is taken by another template, or by another owner's: the next count gives another name."""
    if is_controlled_by(taken, deployment) and has_template(taken, deployment):
        return []
    count = number(deployment, "status", "collisionCount") + 1
    return set_status(deployment, put(mapping(deployment, "status"), count, "collisionCount"))


def _renew(deployment: Object, found: Revisions) -> list[Action]:
    """The new ReplicaSet has the next revision and the Deployment's annotations; the Deployment has its revision."""
    if found.new is None:
        return []
    new = found.new.replica_set
    wanted = renewed_annotations(deployment, new, next_revision(found.old))
    min_ready_s = number(deployment, "spec", "minReadySeconds")
    if wanted != annotated(new) or number(new, "spec", "minReadySeconds") != min_ready_s:
        described = put(new, {**wanted}, "metadata", "annotations")
        return [Update(put(described, min_ready_s, "spec", "minReadySeconds"))]
    if annotated(deployment).get(REVISION) != str(revision(new)):
        return [patch(deployment, {"metadata": {"annotations": {REVISION: str(revision(new))}}})]
    return []


def _tidy(deployment: Object, found: Revisions) -> list[Action]:
    """Delete the oldest ReplicaSets that hold nothing, beyond the history that is to be kept."""
    limit = number(deployment, "spec", "revisionHistoryLimit", absent=10)
    old = [each.replica_set for each in found.old if not each.held and not is_deleting(each.replica_set)]
    idle = [each for each in old if not number(each, "status", "replicas") and _is_observed(each)]
    surplus = len(found.old) - limit
    return [delete(each, exactly=True) for each in sorted(idle, key=revision)[: max(surplus, 0)]]


def _is_observed(replica_set: Object) -> bool:
    return generation(replica_set) <= number(replica_set, "status", "observedGeneration")


def _progress(observed: Observed, deployment: Object, reason: str, message: str) -> list[Action]:
    known = objects(deployment, "status", "conditions")
    return _set_conditions(deployment, statuses.updated(known, "Progressing", "True", reason, message, observed.now))


def _set_conditions(deployment: Object, conditions: list[Object]) -> list[Action]:
    return set_status(deployment, put(mapping(deployment, "status"), [*conditions], "conditions"))


def _report(
    observed: Observed, deployment: Object, found: Revisions, conditions: list[Object] | None = None
) -> list[Action]:
    known = objects(deployment, "status", "conditions") if conditions is None else conditions
    if conditions is not None and found.new and deadline_s(deployment) and not condition(deployment, "Progressing"):
        message = f'Found new replica set "{found.new.name}"'
        known = statuses.updated(known, "Progressing", "True", "FoundNewReplicaSet", message, observed.now)
    return set_status(deployment, statuses.status(deployment, found, known, observed.now))


def _watch_deadline(observed: Observed, deployment: Object) -> list[Action]:
    left = statuses.overdue_in(deployment, observed.now)
    if left is None or text(condition(deployment, "Progressing"), "reason") == "ProgressDeadlineExceeded":
        return []
    return soonest(left + _IN_TIME_S)


def _refuse_selector(deployment: Object) -> list[Action]:
    if number(deployment, "status", "observedGeneration") >= generation(deployment):
        return []
    message = "This deployment is selecting all pods. A non-empty selector is required."
    seen = put(mapping(deployment, "status"), generation(deployment), "observedGeneration")
    return [EmitEvent(deployment, "SelectingAll", message, "Warning"), *set_status(deployment, seen)]


def concerned_by_pod(observed: Observed, pod: Object) -> Iterable[Key]:
    """The Deployment whose ReplicaSet controls a pod."""
    reference = controller_of(pod)
    if reference is None or text(reference, "kind") != REPLICA_SET.name:
        return []
    replica_set = observed.get(REPLICA_SET, Key(namespace(pod), text(reference, "name")))
    return owner(DEPLOYMENT)(observed, replica_set) if replica_set else []
