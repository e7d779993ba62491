"""The status of a Deployment: counts, and the conditions Available, Progressing and ReplicaFailure.

Spec: kubernetes/pkg/controller/deployment/progress.go, sync.go.
"""

from __future__ import annotations

from jubako.cluster.controllers.conditions import condition, made, with_condition, without
from jubako.cluster.controllers.deployment.bounds import deadline_s, max_unavailable, quoted, replicas_of
from jubako.cluster.controllers.deployment.revisions import Revisions
from jubako.cluster.objects import (
    Object,
    flag,
    generation,
    listed,
    mapping,
    moment,
    number,
    objects,
    stamp,
    text,
    without_nones,
)

_COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas")


def status(deployment: Object, found: Revisions, conditions: list[Object], now: float) -> Object:
    """The status with counts as the ReplicaSets tell them, and Available by them."""
    sets = [each.replica_set for each in found.all]
    available = _sum(sets, "availableReplicas")
    counts = {
        "replicas": _sum(sets, "replicas"),
        "updatedReplicas": number(found.new.replica_set, "status", "replicas") if found.new else 0,
        "readyReplicas": _sum(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(sum(each.replicas for each in found.all) - available, 0),
    }
    if available >= replicas_of(deployment) - max_unavailable(deployment):
        words = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        words = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    known = mapping(deployment, "status")
    written = {key: value or None for key, value in counts.items()}
    conditions = updated(conditions, "Available", *words, now)
    fixed = {"observedGeneration": generation(deployment), "conditions": listed(conditions)}
    return without_nones({**known, **written, **fixed})


def updated(conditions: list[Object], type_: str, status_: str, reason: str, message: str, now: float) -> list[Object]:
    """As `with_condition`, with the time of the update, which Deployments have besides."""
    changed = with_condition(conditions, type_, status_, reason, message, now)
    if changed is conditions:
        return conditions
    return [*changed[:-1], {**changed[-1], "lastUpdateTime": stamp(now)}]


def is_complete(deployment: Object, counts: Object) -> bool:
    wanted = replicas_of(deployment)
    full = all(number(counts, each) == wanted for each in ("updatedReplicas", "replicas", "availableReplicas"))
    return full and number(counts, "observedGeneration") >= generation(deployment)


def rollout_conditions(deployment: Object, found: Revisions, now: float) -> list[Object]:
    """The conditions during a rollout: has it ended, come on, or stood still for too long?"""
    conditions = _progress(deployment, found, now)
    failure = _replica_failure(found)
    conditions = without(conditions, "ReplicaFailure")
    return [*conditions, failure] if failure else conditions


def _progress(deployment: Object, found: Revisions, now: float) -> list[Object]:
    known = objects(deployment, "status", "conditions")
    if deadline_s(deployment) is None:
        return without(known, "Progressing")
    progressing = condition(deployment, "Progressing")
    counts = status(deployment, found, known, now)
    reason = text(progressing, "reason")
    if number(counts, "replicas") == number(counts, "updatedReplicas") and reason == "NewReplicaSetAvailable":
        return known
    what = quoted(deployment, found.new)
    if is_complete(deployment, counts):
        message = f"{what} has successfully progressed."
        return updated(known, "Progressing", "True", "NewReplicaSetAvailable", message, now)
    if _has_progressed(deployment, counts):
        message = f"{what} is progressing."
        renewed = made("Progressing", "True", "ReplicaSetUpdated", message, now, progressing)
        return [*without(known, "Progressing"), {**renewed, "lastUpdateTime": stamp(now)}]
    if overdue_in(deployment, now) == 0.0:
        message = f"{what} has timed out progressing."
        return updated(known, "Progressing", "False", "ProgressDeadlineExceeded", message, now)
    return known


def _has_progressed(deployment: Object, counts: Object) -> bool:
    before = mapping(deployment, "status")
    if any(number(counts, each) > number(before, each) for each in ("updatedReplicas", *_COUNTS[2:4])):
        return True
    return _old(counts) < _old(before)


def _old(counts: Object) -> int:
    return number(counts, "replicas") - number(counts, "updatedReplicas")


def overdue_in(deployment: Object, now: float) -> float | None:
    """In how many seconds the rollout will have stood still for too long; None when that is not measured (any more)."""
    progressing, deadline = condition(deployment, "Progressing"), deadline_s(deployment)
    if progressing is None or deadline is None:
        return None
    if text(progressing, "reason") == "NewReplicaSetAvailable" or flag(deployment, "spec", "paused"):
        return None
    if text(progressing, "reason") == "ProgressDeadlineExceeded":
        return 0.0
    since = moment(text(progressing, "lastUpdateTime")) or 0.0
    return max(since + deadline - now, 0.0)


def paused_conditions(deployment: Object, now: float) -> list[Object] | None:
    """The conditions that tell of a pause or its end; None when they do already."""
    if deadline_s(deployment) is None:
        return None
    known = objects(deployment, "status", "conditions")
    reason = text(condition(deployment, "Progressing"), "reason")
    paused = flag(deployment, "spec", "paused")
    if reason == "ProgressDeadlineExceeded" or paused == (reason == "DeploymentPaused"):
        return None
    words = ("DeploymentPaused", "Deployment is paused") if paused else ("DeploymentResumed", "Deployment is resumed")
    return updated(known, "Progressing", "Unknown", *words, now)


def _replica_failure(found: Revisions) -> Object | None:
    newest_first = [found.new, *found.old] if found.new else found.old
    for each in newest_first:
        if failure := condition(each.replica_set, "ReplicaFailure"):
            return {**failure, "lastUpdateTime": text(failure, "lastTransitionTime")}
    return None


def _sum(sets: list[Object], field: str) -> int:
    return sum(number(each, "status", field) for each in sets)
