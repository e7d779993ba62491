"""Claims of ephemeral volumes: made for a pod, and gone with it.

Spec: "Ephemeral Volumes", Generic ephemeral volumes; kubernetes/pkg/controller/volume/ephemeral.
"""

from __future__ import annotations

from jubako.cluster.controllers.actions import Action, Create, EmitEvent
from jubako.cluster.controllers.controller import Controller, itself
from jubako.cluster.controllers.kinds import PERSISTENT_VOLUME_CLAIM, POD, Key
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.pods import is_finished
from jubako.cluster.objects import (
    Object,
    at,
    is_controlled_by,
    is_deleting,
    listed,
    mapping,
    name,
    namespace,
    objects,
    owner_reference,
    text,
)


def reconcile(observed: Observed, key: Key) -> list[Action]:
    pod = observed.get(POD, key)
    if pod is None or is_deleting(pod) or is_finished(pod):
        return []
    volumes = [each for each in objects(pod, "spec", "volumes") if "ephemeral" in each]
    return [action for volume in volumes for action in _claim(observed, pod, volume)]


def _claim(observed: Observed, pod: Object, volume: Object) -> list[Action]:
    wanted = f"{name(pod)}-{text(volume, 'name')}"
    known = observed.get(PERSISTENT_VOLUME_CLAIM, Key(namespace(pod), wanted))
    if known is None:
        refused = EmitEvent(pod, "FailedBinding", "ephemeral volume: {error}", "Warning")
        return [Create(_made(pod, wanted, mapping(volume, "ephemeral", "volumeClaimTemplate")), refused=refused)]
    if is_controlled_by(known, pod):
        return []
    message = f"ephemeral volume: PVC {namespace(pod)}/{wanted} was not created for pod {name(pod)} (pod is not owner)"
    return [EmitEvent(pod, "FailedBinding", message, "Warning")]


def _made(pod: Object, wanted: str, template: Object) -> Object:
    metadata: Object = {"name": wanted, "namespace": namespace(pod), "ownerReferences": listed([owner_reference(pod)])}
    for part in ("labels", "annotations"):
        if held := mapping(template, "metadata", part):
            metadata[part] = held
    kind: Object = {"apiVersion": PERSISTENT_VOLUME_CLAIM.api_version, "kind": PERSISTENT_VOLUME_CLAIM.name}
    return {**kind, "metadata": metadata, "spec": at(template, "spec")}


def _of_claim(_: Observed, claim: Object) -> list[Key]:
    """The pod that has a claim of its own made again when that goes."""
    owners = objects(claim, "metadata", "ownerReferences")
    return [Key(namespace(claim), text(each, "name")) for each in owners if text(each, "kind") == "Pod"]


CONTROLLER = Controller("ephemeral-volume", {POD: itself, PERSISTENT_VOLUME_CLAIM: _of_claim}, reconcile)
