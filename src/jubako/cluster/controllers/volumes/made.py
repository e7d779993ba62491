"""Volumes made of local directories.

The directory is the node's to make, and to remove: a volume that goes has the finalizer DATA until its data is gone.
"""

from __future__ import annotations

from jubako.cluster.controllers.kinds import PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM
from jubako.cluster.objects import Object, annotated, at, listed, mapping, name, namespace, text, uid

PROVISIONER = "jubako.io/local"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
DATA = "jubako.io/local-data"
PROTECTION = "kubernetes.io/pv-protection"


def made(claim: Object, class_: Object, node: str) -> Object:
    """Return the volume for a claim, beneath the class's `path`, on a node where one is given."""
    volume = f"pvc-{uid(claim)}"
    spec: Object = {
        "capacity": {"storage": at(claim, "spec", "resources", "requests", "storage")},
        "accessModes": at(claim, "spec", "accessModes"),
        "volumeMode": text(claim, "spec", "volumeMode") or "Filesystem",
        "persistentVolumeReclaimPolicy": text(class_, "reclaimPolicy") or "Delete",
        "storageClassName": name(class_),
        "claimRef": {
            "apiVersion": PERSISTENT_VOLUME_CLAIM.api_version,
            "kind": PERSISTENT_VOLUME_CLAIM.name,
            "namespace": namespace(claim),
            "name": name(claim),
            "uid": uid(claim),
        },
        "hostPath": {
            "path": f"{text(class_, 'parameters', 'path').rstrip('/')}/{_base(volume, namespace(claim), name(claim))}",
            "type": "DirectoryOrCreate",
        },
    }
    if node:
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": listed([_on(node)])}}
    metadata: Object = {
        "name": volume,
        "annotations": {PROVISIONED_BY: PROVISIONER},
        "finalizers": [PROTECTION, DATA],
    }
    kind: Object = {"apiVersion": PERSISTENT_VOLUME.api_version, "kind": PERSISTENT_VOLUME.name}
    return {**kind, "metadata": metadata, "spec": spec}


def is_made(volume: Object) -> bool:
    """Whether a volume is one of ours."""
    return annotated(volume).get(PROVISIONED_BY) == PROVISIONER


def directory_of(volume: Object) -> str:
    """Return the directory of a volume of ours, "" for any other: what is removed must be what was made."""
    path, claim = text(volume, "spec", "hostPath", "path"), mapping(volume, "spec", "claimRef")
    wanted = _base(name(volume), text(claim, "namespace"), text(claim, "name"))
    return path if is_made(volume) and path.startswith("/") and path.rpartition("/")[2] == wanted else ""


def _base(volume: str, namespace_: str, claim: str) -> str:
    return f"{volume}_{namespace_}_{claim}"


def _on(node: str) -> Object:
    own: Object = {"key": "metadata.name", "operator": "In", "values": [node]}
    return {"matchFields": listed([own])}
