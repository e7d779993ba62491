"""What a new claim or volume is given: the default class, and the finalizer that keeps it while it is in use.

Spec: "Admission Control in Kubernetes": DefaultStorageClass, StorageObjectInUseProtection.
"""

from __future__ import annotations

from jubako.cluster.apiserver.objects import reading, stored
from jubako.cluster.store import AsyncStore
from jubako.cluster.types.document import Object, array, child, mapping
from jubako.cluster.types.resources import resource
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


def _give_class(store: AsyncStore, spec: Object) -> None:
    classes = resource("storage.k8s.io", "v1", "storageclasses")
    assert classes is not None
    found = reading.listing(store, reading.Selection(resource=classes))
    if (name := default_class(stored.decode(item) for item in found.items)) is not None:
        spec["storageClassName"] = name
