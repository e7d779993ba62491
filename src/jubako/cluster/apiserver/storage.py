"""What a new claim or volume is given: the default class, and the finalizer that keeps it while it is in use; and
which claims may grow.

Spec: "Admission Control in Kubernetes": DefaultStorageClass, StorageObjectInUseProtection, PersistentVolumeClaimResize.
"""

from __future__ import annotations

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.caller import Request
from jubako.cluster.apiserver.objects import reading, stored
from jubako.cluster.store import AsyncStore
from jubako.cluster.types.document import Object, array, at, child, mapping, text
from jubako.cluster.types.quantity import Quantity
from jubako.cluster.types.resources import resource
from jubako.cluster.types.served import Resource
from jubako.cluster.types.storage import default_class

_PROTECTION = {
    "PersistentVolumeClaim": "kubernetes.io/pvc-protection",
    "PersistentVolume": "kubernetes.io/pv-protection",
}


def complete(store: AsyncStore, kind: str, document: Object) -> None:
    """Change a new object in place; one of another kind stays as it is."""
    if kind not in _PROTECTION:
        return
    metadata = child(document, "metadata")
    held = array(metadata.get("finalizers"))
    if _PROTECTION[kind] not in held:
        metadata["finalizers"] = [*held, _PROTECTION[kind]]
    if kind == "PersistentVolumeClaim" and mapping(document.get("spec")).get("storageClassName") is None:
        _give_class(store, child(document, "spec"))


def check_growth(store: AsyncStore, request: Request, claim: Object, old: Object) -> None:
    """Raise Failure for a claim that asks for more and is of no class that allows it."""
    wanted, had = (text(at(each, "spec", "resources", "requests", "storage")) for each in (claim, old))
    if Quantity.parse(wanted) <= Quantity.parse(had):
        return
    why = ""
    if at(old, "status", "phase") != "Bound":
        why = "Only bound persistent volume claims can be expanded"
    elif not _may_grow(store, text(at(claim, "spec", "storageClassName"))):
        why = (
            "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support "
            "resize"
        )
    if why:
        raise failures.forbidden(request.attributes.resource, request.attributes.name, why)


def _may_grow(store: AsyncStore, class_name: str) -> bool:
    try:
        class_ = stored.decode(reading.get(store, _classes(), "", class_name))
    except failures.Failure:
        return False
    return class_.get("allowVolumeExpansion") is True


def _give_class(store: AsyncStore, spec: Object) -> None:
    found = reading.listing(store, reading.Selection(resource=_classes()))
    if (name := default_class(stored.decode(item) for item in found.items)) is not None:
        spec["storageClassName"] = name


def _classes() -> Resource:
    classes = resource("storage.k8s.io", "v1", "storageclasses")
    assert classes is not None
    return classes
