"""Which of the volumes that are there suit a claim."""

from __future__ import annotations

from jubako.cluster.controllers.kinds import NODE, PERSISTENT_VOLUME, Key
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.scheduler.affinity import selects_node
from jubako.cluster.controllers.scheduler.volumes import SELECTED_NODE
from jubako.cluster.objects import (
    Object,
    annotated,
    at,
    is_deleting,
    labels,
    mapping,
    name,
    namespace,
    text,
    uid,
    words,
)
from jubako.cluster.types.quantity import Quantity
from jubako.cluster.types.selection import matches
from jubako.errors import InvalidArgument


def claims_volume(claim: Object, volume: Object) -> bool:
    """Whether a volume is reserved for a claim: by its uid, or by its name alone."""
    reference = mapping(volume, "spec", "claimRef")
    if (text(reference, "namespace"), text(reference, "name")) != (namespace(claim), name(claim)):
        return False
    return text(reference, "uid") in ("", uid(claim))


def smallest(observed: Observed, claim: Object) -> Object | None:
    """The volume that is reserved for a claim, or else the smallest free one that suits it."""
    every = [each for each in observed.all(PERSISTENT_VOLUME) if not is_deleting(each)]
    if (reserved := next((each for each in every if claims_volume(claim, each)), None)) is not None:
        return reserved
    suitable = [each for each in every if not mapping(each, "spec", "claimRef") and _suits(observed, claim, each)]
    return min(suitable, key=lambda each: (_size(at(each, "spec", "capacity", "storage")), name(each)), default=None)


def _suits(observed: Observed, claim: Object, volume: Object) -> bool:
    if text(volume, "status", "phase") in ("Released", "Failed"):
        return False
    if text(claim, "spec", "storageClassName") != text(volume, "spec", "storageClassName"):
        return False
    if (text(claim, "spec", "volumeMode") or "Filesystem") != (text(volume, "spec", "volumeMode") or "Filesystem"):
        return False
    if not set(words(claim, "spec", "accessModes")) <= set(words(volume, "spec", "accessModes")):
        return False
    if _size(at(volume, "spec", "capacity", "storage")) < _size(at(claim, "spec", "resources", "requests", "storage")):
        return False
    selector = at(claim, "spec", "selector")
    if selector is not None and not matches(mapping(selector), labels(volume)):
        return False
    return _is_near(observed, claim, volume)


def _is_near(observed: Observed, claim: Object, volume: Object) -> bool:
    required, chosen = at(volume, "spec", "nodeAffinity", "required"), annotated(claim).get(SELECTED_NODE)
    node = observed.get(NODE, Key("", chosen)) if chosen else None
    return required is None or node is None or selects_node(mapping(required), node)


def _size(written: object) -> int:
    try:
        return Quantity.parse(str(written)).nanos if written is not None else 0
    except InvalidArgument:
        return 0
