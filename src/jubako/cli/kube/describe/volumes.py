"""The volumes of a pod, by the sources that a machine like this one can have; others are told field by field."""

from __future__ import annotations

from collections.abc import Callable

from jubako.cli.kube.describe.sheet import Sheet, plain
from jubako.cluster.types.document import JSON, Object, at, mapping, objects, text
from jubako.cluster.types.quantity import Quantity

Rows = list[tuple[str, ...]]


def volumes(sheet: Sheet, found: JSON, *, inner: bool = False) -> None:
    """Write volumes; `inner` says that they stand within a template."""
    every = objects(found)
    sheet.line(int(inner), *(["Volumes:"] if every else ["Volumes:", "<none>"]))
    for volume in every:
        sheet.line(1, f"{' ' * inner}{text(volume.get('name'))}:")
        kind = next((name for name in volume if name != "name"), "")
        if kind not in _KINDS and not kind:
            sheet.line(1, "<unknown>")
            continue
        for row in _KINDS.get(kind, _other(kind))(mapping(volume[kind])):
            sheet.line(2, *row)


def _host_path(source: Object) -> Rows:
    return [
        ("Type:", "HostPath (bare host directory volume)"),
        ("Path:", text(source.get("path"))),
        ("HostPathType:", plain(source.get("type"), "<none>")),
    ]


def _empty_dir(source: Object) -> Rows:
    limit = text(source.get("sizeLimit"))
    return [
        ("Type:", "EmptyDir (a temporary directory that shares a pod's lifetime)"),
        ("Medium:", text(source.get("medium"))),
        ("SizeLimit:", limit if limit and Quantity.parse(limit).nanos > 0 else "<unset>"),
    ]


def _secret(source: Object) -> Rows:
    return [
        ("Type:", "Secret (a volume populated by a Secret)"),
        ("SecretName:", text(source.get("secretName"))),
        ("Optional:", plain(source.get("optional"), "false")),
    ]


def _config_map(source: Object) -> Rows:
    return [
        ("Type:", "ConfigMap (a volume populated by a ConfigMap)"),
        ("Name:", text(source.get("name"))),
        ("Optional:", plain(source.get("optional"), "false")),
    ]


def _claim(source: Object) -> Rows:
    return [
        ("Type:", "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)"),
        ("ClaimName:", text(source.get("claimName"))),
        ("ReadOnly:", plain(source.get("readOnly"), "false")),
    ]


_MAPS = (
    ("secret", "SecretName:", "SecretOptionalName:"),
    ("configMap", "ConfigMapName:", "ConfigMapOptional:"),
)


def _projected(source: Object) -> Rows:
    rows: Rows = [("Type:", "Projected (a volume that contains injected data from multiple sources)")]
    for each in objects(source.get("sources")):
        for kind, title, optional in _MAPS:
            if kind in each:
                rows.append((title, text(at(each, kind, "name"))))
                rows.append((optional, plain(at(each, kind, "optional"), "<nil>")))
        if "downwardAPI" in each:
            rows.append(("DownwardAPI:", "true"))
        if "serviceAccountToken" in each:
            rows.append(("TokenExpirationSeconds:", plain(at(each, "serviceAccountToken", "expirationSeconds"))))
    return rows


def _downward(source: Object) -> Rows:
    rows: Rows = [("Type:", "DownwardAPI (a volume populated by information about the pod)"), ("Items:",)]
    for each in objects(source.get("items")):
        of = text(at(each, "fieldRef", "fieldPath")) or text(at(each, "resourceFieldRef", "resource"))
        rows.append((f"  {of} -> {text(each.get('path'))}",))
    return rows


def _image(source: Object) -> Rows:
    return [
        ("Type:", "Image (a container image or OCI artifact)"),
        ("Reference:", text(source.get("reference"))),
        ("PullPolicy:", text(source.get("pullPolicy"))),
    ]


def _other(kind: str) -> Callable[[Object], Rows]:
    return lambda source: [
        ("Type:", kind),
        *((f"{name}:", plain(value)) for name, value in source.items() if not isinstance(value, dict | list)),
    ]


_KINDS: dict[str, Callable[[Object], Rows]] = {
    "hostPath": _host_path,
    "emptyDir": _empty_dir,
    "secret": _secret,
    "configMap": _config_map,
    "persistentVolumeClaim": _claim,
    "projected": _projected,
    "downwardAPI": _downward,
    "image": _image,
}
