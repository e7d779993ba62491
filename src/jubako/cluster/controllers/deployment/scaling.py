"""A Deployment that was resized: its ReplicaSets grow and shrink in proportion, the rollout waits.

Spec: kubernetes/pkg/controller/deployment/sync.go, "scale"; fractions round half away from zero, and what is left over
goes to the largest.
"""

from __future__ import annotations

from fractions import Fraction

from jubako.cluster.controllers.actions import Action
from jubako.cluster.controllers.deployment.bounds import is_rolling, max_surge, replicas_of, resize
from jubako.cluster.controllers.deployment.revisions import DESIRED, MAXIMUM, Revisions, Sized, revision
from jubako.cluster.objects import Object, annotated, created, number, whole


def was_resized(deployment: Object, found: Revisions) -> bool:
    """Whether a ReplicaSet with replicas was sized for another size of the Deployment."""
    wanted = str(replicas_of(deployment))
    noted = [annotated(each.replica_set).get(DESIRED) for each in found.all if each.replicas]
    return any(each is not None and each != wanted for each in noted)


def scale(deployment: Object, found: Revisions) -> list[Action]:
    active = [each for each in found.all if each.replicas]
    wanted = replicas_of(deployment)
    if len(active) <= 1:
        only = active[0] if active else found.new or _latest(found.old)
        return resize(deployment, only, wanted) if only else []
    if found.new and _is_saturated(deployment, found.new):
        return [action for each in found.old if each.replicas for action in resize(deployment, each, 0)]
    if not is_rolling(deployment):
        return []
    return _in_proportion(deployment, active)


def _latest(old: list[Sized]) -> Sized | None:
    return max(old, key=lambda each: revision(each.replica_set), default=None)


def _is_saturated(deployment: Object, new: Sized) -> bool:
    wanted = replicas_of(deployment)
    noted = annotated(new.replica_set).get(DESIRED)
    return new.replicas == new.available == wanted and noted == str(wanted)


def _in_proportion(deployment: Object, active: list[Sized]) -> list[Action]:
    wanted = replicas_of(deployment)
    allowed = wanted + max_surge(deployment) if wanted else 0
    total = sum(each.replicas for each in active)
    held = sum(each.held for each in active)
    change = max(allowed - held, 0) if allowed > total else allowed - total
    # The largest first; of the same size, the youngest grows and the oldest shrinks first.
    way = -1 if change > 0 else 1
    ordered = sorted(active, key=lambda each: (-each.replicas, way * created(each.replica_set), each.name))
    sizes = _shared_out(deployment, ordered, change)
    return [action for each, size in zip(ordered, sizes, strict=True) for action in resize(deployment, each, size)]


def _shared_out(deployment: Object, ordered: list[Sized], change: int) -> list[int]:
    sizes, left = [], change
    for each in ordered:
        share = _share(deployment, each) if change else 0
        share = min(max(share, 0), left) if change > 0 else max(min(share, 0), left)
        left -= share
        sizes.append(each.replicas + share)
    sizes[0] = max(sizes[0] + left, 0)
    return sizes


def _share(deployment: Object, of: Sized) -> int:
    wanted = replicas_of(deployment)
    if not wanted:
        return -of.replicas
    noted = whole(annotated(of.replica_set).get(MAXIMUM, ""))
    before = number(deployment, "status", "replicas") if noted is None else noted
    if before <= 0:
        return 0
    exact = Fraction(of.replicas * (wanted + max_surge(deployment)), before)
    return int(exact + Fraction(1, 2)) - of.replicas
