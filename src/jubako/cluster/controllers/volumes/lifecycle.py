"""The end of claims and volumes: neither goes while it is in use, and a volume whose claim is gone is released.

Spec: kubernetes/pkg/controller/volume/pvcprotection, pvprotection; reclaim policies Retain and Delete.
"""

from __future__ import annotations

from jubako.cluster.controllers.actions import Action, delete, set_status, without_finalizer
from jubako.cluster.controllers.controller import Controller, itself
from jubako.cluster.controllers.kinds import PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, POD, Key
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.pods import is_finished
from jubako.cluster.controllers.scheduler.volumes import claim_names
from jubako.cluster.controllers.volumes.made import DATA, PROTECTION
from jubako.cluster.objects import (
    Object,
    finalizers,
    is_deleting,
    mapping,
    name,
    namespace,
    put,
    text,
    uid,
)

CLAIM_PROTECTION = "kubernetes.io/pvc-protection"


def _claim(observed: Observed, key: Key) -> list[Action]:
    """A claim that is being deleted goes when no pod uses it any more."""
    claim = observed.get(PERSISTENT_VOLUME_CLAIM, key)
    if claim is None or not is_deleting(claim) or CLAIM_PROTECTION not in finalizers(claim):
        return []
    pods = [pod for pod in observed.all(POD, key.namespace) if key.name in claim_names(pod)]
    in_use = any(text(pod, "spec", "nodeName") and not is_finished(pod) for pod in pods)
    return [] if in_use else [without_finalizer(claim, CLAIM_PROTECTION)]


def _volume(observed: Observed, key: Key) -> list[Action]:
    volume = observed.get(PERSISTENT_VOLUME, key)
    if volume is None:
        return []
    reference = mapping(volume, "spec", "claimRef")
    if not text(reference, "uid"):
        if is_deleting(volume):
            return _freed(volume)
        return set_status(volume, put(mapping(volume, "status"), "Available", "phase"))
    claim = observed.get(PERSISTENT_VOLUME_CLAIM, Key(text(reference, "namespace"), text(reference, "name")))
    if claim is not None and uid(claim) == text(reference, "uid"):
        return []
    if is_deleting(volume):
        return _freed(volume)
    if text(volume, "status", "phase") != "Released":
        return set_status(volume, put(mapping(volume, "status"), "Released", "phase"))
    # Only what was made for its claim goes with it; who removes DATA has removed what is in it.
    goes = text(volume, "spec", "persistentVolumeReclaimPolicy") == "Delete" and DATA in finalizers(volume)
    return [delete(volume, exactly=True)] if goes else []


def _freed(volume: Object) -> list[Action]:
    return [without_finalizer(volume, PROTECTION)] if PROTECTION in finalizers(volume) else []


def _of_pod(_: Observed, pod: Object) -> list[Key]:
    return [Key(namespace(pod), claim) for claim in claim_names(pod)]


def _of_claim(observed: Observed, claim: Object) -> list[Key]:
    found = [Key("", text(claim, "spec", "volumeName"))] if text(claim, "spec", "volumeName") else []
    reserved = (each for each in observed.all(PERSISTENT_VOLUME) if _is_for(each, claim))
    return found + [Key("", name(each)) for each in reserved]


def _is_for(volume: Object, claim: Object) -> bool:
    return text(volume, "spec", "claimRef", "uid") == uid(claim)


CLAIMS = Controller("pvc-protection", {PERSISTENT_VOLUME_CLAIM: itself, POD: _of_pod}, _claim)
VOLUMES = Controller("pv-lifecycle", {PERSISTENT_VOLUME: itself, PERSISTENT_VOLUME_CLAIM: _of_claim}, _volume)
