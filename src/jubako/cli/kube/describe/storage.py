"""A claim on a volume, and who uses it."""

from __future__ import annotations

from collections.abc import Sequence

from jubako.cli.kube.describe import conditions
from jubako.cli.kube.describe.events import write_events
from jubako.cli.kube.describe.sheet import Sheet, ago, words
from jubako.cluster.types.document import Object, array, at, mapping, text

_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def claim(sheet: Sheet, document: Object, events: Sequence[Object], users: Sequence[str]) -> None:
    spec, status = mapping(document.get("spec")), mapping(document.get("status"))
    sheet.head(document)
    sheet.line(0, "StorageClass:", text(spec.get("storageClassName")))
    deleted = at(document, "metadata", "deletionTimestamp")
    sheet.line(0, "Status:", f"Terminating (lasts {ago(deleted)})" if deleted else text(status.get("phase")))
    volume = text(spec.get("volumeName"))
    sheet.line(0, "Volume:", volume)
    sheet.marks(document)
    sheet.line(0, "Finalizers:", words(at(document, "metadata", "finalizers")))
    modes = ",".join(_MODES.get(text(each), text(each)) for each in array(status.get("accessModes")))
    sheet.line(0, "Capacity:", (text(at(status, "capacity", "storage")) or "0") if volume else "")
    sheet.line(0, "Access Modes:", modes if volume else "")
    if mode := text(spec.get("volumeMode")):
        sheet.line(0, "VolumeMode:", mode)
    if source := mapping(spec.get("dataSource")):
        sheet.line(0, "DataSource:")
        for title, field in (("APIGroup:", "apiGroup"), ("Kind:", "kind"), ("Name:", "name")):
            if field in source:
                sheet.line(1, title, text(source[field]))
    sheet.each(0, "Used By", sorted(users))
    conditions.timed(sheet, status, "lastProbeTime")
    write_events(sheet, events)
