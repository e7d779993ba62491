"""The claims of a StatefulSet's pods: made before the pod, kept or deleted with it or with the set.

Spec: StatefulSet, persistentVolumeClaimRetentionPolicy. What is to be deleted gets an owner, and the garbage collector
does it: the set for whenDeleted, the pod that is scaled away for whenScaled.
"""

from __future__ import annotations

from jubako.cluster.controllers.actions import Action, Create, EmitEvent, patch
from jubako.cluster.controllers.kinds import PERSISTENT_VOLUME_CLAIM, Key
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.statefulset.identity import claim, claim_name, claim_templates, ordinals, pod_name
from jubako.cluster.objects import (
    Object,
    is_deleting,
    listed,
    name,
    namespace,
    owner_reference,
    owner_references,
    put,
    text,
    uid,
)


def missing(observed: Observed, set_: Object, number_: int) -> list[Action] | None:
    """The claims that a pod needs and that are not there; None while one of an earlier life is still being deleted."""
    actions: list[Action] = []
    for template in claim_templates(set_):
        wanted = claim(set_, template, number_)
        known = observed.get(PERSISTENT_VOLUME_CLAIM, Key(namespace(set_), name(wanted)))
        if known is not None and is_deleting(known):
            return None
        if known is None:
            actions.append(_create(set_, wanted, pod_name(set_, number_)))
    return actions


def _create(set_: Object, wanted: Object, pod: str) -> Action:
    if _deletes(set_, "whenDeleted"):
        wanted = put(wanted, [owner_reference(set_)], "metadata", "ownerReferences")
    about = f"create Claim {name(wanted)} Pod {pod} in StatefulSet {name(set_)}"
    return Create(
        wanted,
        created=EmitEvent(set_, "SuccessfulCreate", f"{about} success"),
        refused=EmitEvent(set_, "FailedCreate", f"{about} failed error: {{error}}", "Warning"),
    )


def owned(observed: Observed, set_: Object, pod: Object, number_: int) -> list[Action]:
    """Give the claims of a pod the owners that the policy wants, and take from them those that it does not."""
    condemned = number_ not in ordinals(set_)
    actions: list[Action] = []
    for template in claim_templates(set_):
        known = observed.get(PERSISTENT_VOLUME_CLAIM, Key(namespace(set_), claim_name(set_, template, number_)))
        if known is None:
            continue
        wanted = _owners(set_, pod, known, condemned)
        if wanted != owner_references(known):
            actions.append(patch(known, {"metadata": {"ownerReferences": listed(wanted)}}, exactly=True))
    return actions


def _owners(set_: Object, pod: Object, known: Object, condemned: bool) -> list[Object]:
    ours = {uid(set_), uid(pod)}
    others = [each for each in owner_references(known) if text(each, "uid") not in ours]
    if condemned and _deletes(set_, "whenScaled"):
        return [*others, owner_reference(pod)]
    if _deletes(set_, "whenDeleted"):
        return [*others, owner_reference(set_)]
    return others


def _deletes(set_: Object, when: str) -> bool:
    return text(set_, "spec", "persistentVolumeClaimRetentionPolicy", when) == "Delete"
