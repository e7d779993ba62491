"""Where containers mount the volumes of their pod."""

from __future__ import annotations

from collections.abc import Collection

from jubako.cluster.types.document import Object, objects, text
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.fields import local_path


def check(errors: Errors, path: str, container: Object, mountable: Collection[str]) -> None:
    places: set[str] = set()
    for n, mount in enumerate(objects(container.get("volumeMounts"))):
        where, name, place = f"{path}.volumeMounts[{n}]", text(mount.get("name")), text(mount.get("mountPath"))
        if not name:
            errors.required(f"{where}.name")
        elif name not in mountable:
            errors.not_found(f"{where}.name", name)
        if not place:
            errors.required(f"{where}.mountPath")
        elif place in places:
            errors.invalid(f"{where}.mountPath", place, "must be unique")
        places.add(place)
        _below(errors, where, mount)


def _below(errors: Errors, path: str, mount: Object) -> None:
    for name in ("subPath", "subPathExpr"):
        if value := text(mount.get(name)):
            local_path(errors, f"{path}.{name}", value)
    if mount.get("subPath") and mount.get("subPathExpr"):
        errors.invalid(
            f"{path}.subPathExpr", mount.get("subPathExpr"), "subPathExpr and subPath are mutually exclusive"
        )
