"""One call for a StatefulSet: its revisions, its status, its next steps."""

from __future__ import annotations

from jubako.cluster.controllers import history, pods
from jubako.cluster.controllers.actions import Action, set_status, soonest
from jubako.cluster.controllers.history import History, is_of
from jubako.cluster.controllers.kinds import POD, STATEFUL_SET, Key, key_of
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.selectors import claim, selects
from jubako.cluster.controllers.statefulset.identity import claim_templates, is_member
from jubako.cluster.controllers.statefulset.members import Members, is_available, is_running_and_ready, members
from jubako.cluster.controllers.statefulset.steps import steps
from jubako.cluster.objects import (
    Object,
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


def reconcile(observed: Observed, key: Key) -> list[Action]:
    set_ = observed.get(STATEFUL_SET, key)
    if set_ is None:
        return []
    revisions = history.history(observed, set_, history.HASH_LABEL)
    if revisions.update is None:
        return revisions.actions
    claimed = claim(observed, POD, set_, _is_own)
    if claimed.actions:
        return claimed.actions
    found = members(set_, claimed.objects)
    # Where the revision that pods have is lost, the update stands for it.
    current = revisions.named(text(set_, "status", "currentRevision")) or revisions.update
    status = _status(observed, set_, found, current, revisions.update)
    actions = [*revisions.actions, *set_status(set_, status)]
    if not is_deleting(set_):
        actions += steps(observed, set_, found, current, revisions.update)
    waits = [pods.until_available(found.present, number(set_, "spec", "minReadySeconds"), observed.now)]
    return [*actions, *_tidy(set_, revisions, found, status), *soonest(*waits)]


def _status(observed: Observed, set_: Object, found: Members, current: Object, update: Object) -> Object:
    present = found.present
    lasting = [pod for pod in present if not is_deleting(pod)]
    ready = sum(is_running_and_ready(pod) for pod in present)
    updated = sum(is_of(pod, name(update)) for pod in lasting)
    kept = sum(is_of(pod, name(current)) for pod in lasting)
    revision = name(current)
    if _is_rolled_out(set_, len(present), ready, updated):
        revision, kept = name(update), updated
    return without_nones(
        {
            **mapping(set_, "status"),
            "observedGeneration": generation(set_),
            "replicas": len(present),
            "readyReplicas": ready or None,
            "availableReplicas": sum(is_available(set_, pod, observed.now) for pod in present),
            "currentReplicas": kept or None,
            "updatedReplicas": updated or None,
            "currentRevision": revision,
            "updateRevision": name(update),
            "collisionCount": number(set_, "status", "collisionCount"),
        }
    )


def _is_rolled_out(set_: Object, present: int, ready: int, updated: int) -> bool:
    if text(set_, "spec", "updateStrategy", "type") == "OnDelete":
        return False
    return updated == present == ready


def _tidy(set_: Object, revisions: History, found: Members, status: Object) -> list[Action]:
    of_pods = {labels(pod).get(history.POD_LABEL, "") for pod in found.present}
    return history.surplus(set_, revisions, of_pods | {text(status, "currentRevision"), text(status, "updateRevision")})


def _is_own(set_: Object, pod: Object) -> bool:
    return selects(set_, pod) and is_member(set_, pod)


def concerned_by_claim(observed: Observed, volume_claim: Object) -> list[Key]:
    """The StatefulSets of whose pods a claim may be."""
    sets = observed.all(STATEFUL_SET, namespace(volume_claim))
    return [key_of(set_) for set_ in sets if claim_templates(set_) and selects(set_, volume_claim)]
