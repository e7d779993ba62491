"""Where containers mount the volumes of their pod."""

from __future__ import annotations

from collections.abc import Collection

from jubako.cluster.types.document import Object, at, objects, text
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
        _spreading(errors, where, mount, is_privileged=at(container, "securityContext", "privileged") is True)


def _below(errors: Errors, path: str, mount: Object) -> None:
    for name in ("subPath", "subPathExpr"):
        if value := text(mount.get(name)):
            local_path(errors, f"{path}.{name}", value)
    if mount.get("subPath") and mount.get("subPathExpr"):
        errors.invalid(
            f"{path}.subPathExpr", mount.get("subPathExpr"), "subPathExpr and subPath are mutually exclusive"
        )


def _spreading(errors: Errors, path: str, mount: Object, *, is_privileged: bool) -> None:
    propagation = mount.get("mountPropagation")
    if propagation == "Bidirectional" and not is_privileged:
        why = "Bidirectional mount propagation is available only to privileged containers"
        errors.forbidden(f"{path}.mountPropagation", why)
    if mount.get("recursiveReadOnly") in ("IfPossible", "Enabled"):
        where = f"{path}.recursiveReadOnly"
        if mount.get("readOnly") is not True:
            errors.forbidden(where, "may only be specified when readOnly is true")
        if propagation not in (None, "None"):
            errors.forbidden(where, "may only be specified when mountPropagation is None or not specified")
