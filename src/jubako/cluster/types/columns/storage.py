"""The rows of volumes, claims and classes of storage."""

from __future__ import annotations

from datetime import datetime

from jubako.cluster.types.columns.model import UNSET, Columns, created, name
from jubako.cluster.types.document import JSON, Object, array, at, mapping, text
from jubako.cluster.types.storage import is_default

_SHORT = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _modes(value: JSON) -> str:
    given = array(value)
    return ",".join(short for mode, short in _SHORT.items() if mode in given)


def _phase(document: Object) -> str:
    deleted = at(document, "metadata", "deletionTimestamp")
    return "Terminating" if deleted else text(at(document, "status", "phase"))


def _volume(document: Object, now: datetime) -> list[JSON]:
    spec = mapping(document.get("spec"))
    claim = mapping(spec.get("claimRef"))
    return [
        *(name(document), text(at(spec, "capacity", "storage")), _modes(spec.get("accessModes"))),
        *(text(spec.get("persistentVolumeReclaimPolicy")), _phase(document)),
        f"{text(claim.get('namespace'))}/{text(claim.get('name'))}" if claim else "",
        *(text(spec.get("storageClassName")), text(spec.get("volumeAttributesClassName")) or UNSET),
        *(text(at(document, "status", "reason")), created(document, now), text(spec.get("volumeMode")) or UNSET),
    ]


def _claim(document: Object, now: datetime) -> list[JSON]:
    spec, status = mapping(document.get("spec")), mapping(document.get("status"))
    volume = text(spec.get("volumeName"))
    return [
        *(name(document), _phase(document), volume),
        *(
            text(at(status, "capacity", "storage")) if volume else "",
            _modes(status.get("accessModes")) if volume else "",
        ),
        *(text(spec.get("storageClassName")), text(spec.get("volumeAttributesClassName")) or UNSET),
        *(created(document, now), text(spec.get("volumeMode")) or UNSET),
    ]


def _class(document: Object, now: datetime) -> list[JSON]:
    shown = name(document) + (" (default)" if is_default(document) else "")
    policy, mode = (
        text(document.get("reclaimPolicy")) or "Delete",
        text(document.get("volumeBindingMode")) or "Immediate",
    )
    expands = bool(document.get("allowVolumeExpansion"))
    return [shown, text(document.get("provisioner")), policy, mode, expands, created(document, now)]


_CLAIM = (
    "Name",
    "Status",
    "Volume",
    "Capacity",
    "Access Modes",
    "StorageClass",
    "VolumeAttributesClass",
    "Age",
    "VolumeMode+",
)
_VOLUME = (
    *("Name", "Capacity", "Access Modes", "Reclaim Policy", "Status", "Claim", "StorageClass"),
    *("VolumeAttributesClass", "Reason", "Age", "VolumeMode+"),
)
_CLASS = ("Name", "Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion:boolean", "Age")
COLUMNS = {
    "core/v1.PersistentVolume": Columns(_VOLUME, _volume),
    "core/v1.PersistentVolumeClaim": Columns(_CLAIM, _claim),
    "storage/v1.StorageClass": Columns(_CLASS, _class),
}
