"""One step of a rolling update.

Invariant: pods that are not being deleted are never more than replicas + maxSurge, and no available pod is given up
that would leave fewer than replicas - maxUnavailable, in whatever order the ReplicaSets act: for the first each counts
with the larger of what it has and what it wants, for the second with the smaller.
Spec: kubernetes/pkg/controller/deployment/rolling.go.
"""

from __future__ import annotations

from jubako.cluster.controllers.actions import Action
from jubako.cluster.controllers.deployment.bounds import max_surge, max_unavailable, replicas_of, resize
from jubako.cluster.controllers.deployment.revisions import Revisions, Sized
from jubako.cluster.objects import Object


def roll(deployment: Object, found: Revisions) -> list[Action]:
    """Scale the new ReplicaSet up as far as the surge allows, or else the old ones down as far as availability does."""
    return _scale_new(deployment, found) or _scale_old(deployment, found)


def _scale_new(deployment: Object, found: Revisions) -> list[Action]:
    if found.new is None:
        return []
    return resize(deployment, found.new, new_replicas(deployment, found.new, found.all))


def new_replicas(deployment: Object, new: Sized | None, every: list[Sized]) -> int:
    """How many replicas the new ReplicaSet (or the one to be made) may have now."""
    wanted, present = replicas_of(deployment), new.replicas if new else 0
    if present >= wanted:
        return wanted
    room = wanted + max_surge(deployment) - sum(each.held for each in every)
    return present + max(min(room, wanted - present), 0)


def _scale_old(deployment: Object, found: Revisions) -> list[Action]:
    new = found.new
    if not any(each.replicas for each in found.old):
        return []
    fewest = replicas_of(deployment) - max_unavailable(deployment)
    not_yet = new.replicas - new.available if new else 0
    spare = sum(each.replicas for each in found.all) - fewest - not_yet
    if spare <= 0:
        return []
    sizes = _without_unavailable(found.old, spare)
    kept = [min(size, each.available) for size, each in zip(sizes, found.old, strict=True)]
    surplus = sum(kept) + (new.available if new else 0) - fewest
    targets = _reduced(sizes, surplus)
    return [
        action
        for each, target in zip(found.old, targets, strict=True)
        if each.replicas != target
        for action in resize(deployment, each, target)
    ]


def _without_unavailable(old: list[Sized], most: int) -> list[int]:
    """Sizes without what is not available anyway, so that a broken version does not hold its successor up."""
    sizes = []
    for each in old:
        unavailable = min(most, each.replicas - each.available)
        most -= unavailable
        sizes.append(each.replicas - unavailable)
    return sizes


def _reduced(sizes: list[int], surplus: int) -> list[int]:
    reduced = []
    for size in sizes:
        less = min(size, max(surplus, 0))
        surplus -= less
        reduced.append(size - less)
    return reduced
