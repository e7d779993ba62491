"""Claims get their volumes: one that is there and fits, or one made of a local directory.

Model:     a class whose provisioner is ours has volumes beneath the directory of its parameter `path`. With
           WaitForFirstConsumer a volume is made once the scheduler has named a node, which the volume then belongs to.
Invariant: a volume's claimRef (with the claim's uid) is stored before the claim names the volume, so that no volume is
           ever two claims'; its name is made of the claim's uid, so that none is made twice.
Spec:      kubernetes/pkg/controller/volume/persistentvolume.
"""

from __future__ import annotations

from jubako.cluster.controllers.actions import Action, Create, EmitEvent, Update, set_status
from jubako.cluster.controllers.controller import Controller, itself
from jubako.cluster.controllers.kinds import (
    PERSISTENT_VOLUME,
    PERSISTENT_VOLUME_CLAIM,
    STORAGE_CLASS,
    Key,
    key_of,
)
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.scheduler.volumes import BIND_COMPLETED, SELECTED_NODE, is_delayed
from jubako.cluster.controllers.volumes.fitting import claims_volume, smallest
from jubako.cluster.controllers.volumes.made import PROVISIONER, made
from jubako.cluster.objects import (
    Object,
    annotated,
    at,
    is_deleting,
    mapping,
    name,
    namespace,
    put,
    text,
    uid,
)
from jubako.cluster.types.storage import default_class

BOUND_BY = "pv.kubernetes.io/bound-by-controller"
STORAGE_PROVISIONER = "volume.kubernetes.io/storage-provisioner"


def reconcile(observed: Observed, key: Key) -> list[Action]:
    claim = observed.get(PERSISTENT_VOLUME_CLAIM, key)
    if claim is None or is_deleting(claim):
        return []
    if wanted := text(claim, "spec", "volumeName"):
        return _named(observed, claim, wanted)
    delayed = is_delayed(observed, claim) and SELECTED_NODE not in annotated(claim)
    found = None if delayed else smallest(observed, claim)
    if found is not None:
        return _bind(claim, found)
    pending = _phase(claim, "Pending")
    if pending:
        return pending
    return _wait(claim) if delayed else _provision(observed, claim)


def _named(observed: Observed, claim: Object, wanted: str) -> list[Action]:
    """The claim names its volume: by us, or by its author."""
    volume = observed.get(PERSISTENT_VOLUME, Key("", wanted))
    if volume is None:
        lost = BIND_COMPLETED in annotated(claim)
        return _lose(claim) if lost else _phase(claim, "Pending")
    reference = mapping(volume, "spec", "claimRef")
    if reference and not claims_volume(claim, volume):
        return _lose(claim) if BIND_COMPLETED in annotated(claim) else _phase(claim, "Pending")
    return _bind(claim, volume)


def _lose(claim: Object) -> list[Action]:
    if text(claim, "status", "phase") == "Lost":
        return []
    message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
    return [*_phase(claim, "Lost"), EmitEvent(claim, "ClaimLost", message, "Warning")]


def _bind(claim: Object, volume: Object) -> list[Action]:
    """First the volume says whose it is, then the claim, then both that they are bound."""
    if text(volume, "spec", "claimRef", "uid") != uid(claim):
        by_author = bool(mapping(volume, "spec", "claimRef"))
        document = put(volume, _reference(claim), "spec", "claimRef")
        return [Update(document if by_author else put(document, "yes", "metadata", "annotations", BOUND_BY))]
    if text(volume, "status", "phase") != "Bound":
        return set_status(volume, {**mapping(volume, "status"), "phase": "Bound"})
    if text(claim, "spec", "volumeName") != name(volume) or BIND_COMPLETED not in annotated(claim):
        own = {BIND_COMPLETED: "yes"} | ({} if text(claim, "spec", "volumeName") else {BOUND_BY: "yes"})
        document = put(claim, {**annotated(claim), **own}, "metadata", "annotations")
        return [Update(put(document, name(volume), "spec", "volumeName"))]
    status: Object = {
        **mapping(claim, "status"),
        "phase": "Bound",
        "accessModes": at(volume, "spec", "accessModes"),
        "capacity": {"storage": at(volume, "spec", "capacity", "storage")},
    }
    return set_status(claim, status)


def _reference(claim: Object) -> Object:
    return {
        "apiVersion": PERSISTENT_VOLUME_CLAIM.api_version,
        "kind": PERSISTENT_VOLUME_CLAIM.name,
        "namespace": namespace(claim),
        "name": name(claim),
        "uid": uid(claim),
    }


def _phase(claim: Object, phase: str) -> list[Action]:
    return set_status(claim, {**mapping(claim, "status"), "phase": phase})


def _wait(claim: Object) -> list[Action]:
    message = "waiting for first consumer to be created before binding"
    return [EmitEvent(claim, "WaitForFirstConsumer", message)]


def _provision(observed: Observed, claim: Object) -> list[Action]:
    default = default_class(observed.all(STORAGE_CLASS))
    if default is not None and at(claim, "spec", "storageClassName") is None:
        return [Update(put(claim, default, "spec", "storageClassName"))]
    class_name = text(claim, "spec", "storageClassName")
    class_ = observed.get(STORAGE_CLASS, Key("", class_name)) if class_name else None
    if class_ is None:
        if class_name:
            message = f'storageclass.storage.k8s.io "{class_name}" not found'
            return [EmitEvent(claim, "ProvisioningFailed", message, "Warning")]
        message = "no persistent volumes available for this claim and no storage class is set"
        return [EmitEvent(claim, "FailedBinding", message)]
    if text(class_, "provisioner") != PROVISIONER:
        return []
    volume = made(claim, class_, annotated(claim).get(SELECTED_NODE, ""))
    if observed.get(PERSISTENT_VOLUME, key_of(volume)) is not None:
        return []
    if STORAGE_PROVISIONER not in annotated(claim):
        return [Update(put(claim, PROVISIONER, "metadata", "annotations", STORAGE_PROVISIONER))]
    message = f"Successfully provisioned volume {name(volume)}"
    refused = EmitEvent(claim, "ProvisioningFailed", "failed to provision volume: {error}", "Warning")
    return [Create(volume, created=EmitEvent(claim, "ProvisioningSucceeded", message), refused=refused)]


def _of_volume(observed: Observed, volume: Object) -> list[Key]:
    """The claim of a volume; one that is nobody's yet may suit any that waits."""
    if reference := mapping(volume, "spec", "claimRef"):
        return [Key(text(reference, "namespace"), text(reference, "name"))]
    return _unbound(observed)


def _of_class(observed: Observed, _: Object) -> list[Key]:
    return _unbound(observed)


def _unbound(observed: Observed) -> list[Key]:
    claims = observed.all(PERSISTENT_VOLUME_CLAIM)
    return [key_of(each) for each in claims if text(each, "status", "phase") != "Bound"]


CONTROLLER = Controller(
    "persistentvolume-binder",
    {PERSISTENT_VOLUME_CLAIM: itself, PERSISTENT_VOLUME: _of_volume, STORAGE_CLASS: _of_class},
    reconcile,
    source="persistentvolume-controller",
)
