"""Volumes of a pod."""

from __future__ import annotations

from collections.abc import Callable

from jubako.cluster.types.document import Object, integer, mapping, objects, text
from jubako.cluster.types.quantity import Quantity
from jubako.cluster.types.schema import message
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.fields import local_path, no_backsteps, one_of, required, unique
from jubako.cluster.types.validation.names import config_key, dns_label
from jubako.cluster.types.validation.pods.environment import VOLUME_FIELDS, check_field, check_resource

_MOST_MODE = 0o777
_PROJECTIONS = ("secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle")
_LEAST_TOKEN_S = 600
Check = Callable[[Errors, str, Object], None]


def check(errors: Errors, path: str, volumes: list[Object]) -> set[str]:
    """Check volumes; return their names, which containers may mount."""
    others = [name for name in message("core/v1.VolumeSource").by_name if name != "emptyDir"]
    unique(errors, ((f"{path}[{n}].name", text(volume.get("name"))) for n, volume in enumerate(volumes)))
    for n, volume in enumerate(volumes):
        where, name = f"{path}[{n}]", text(volume.get("name"))
        if name:
            errors.invalid_each(f"{where}.name", name, dns_label(name))
        else:
            errors.required(f"{where}.name")
        for source in one_of(errors, where, volume, ("emptyDir", *others), "volume"):
            _SOURCES.get(source, _unchecked)(errors, f"{where}.{source}", mapping(volume[source]))
    return {text(volume.get("name")) for volume in volumes}


def _unchecked(errors: Errors, path: str, source: Object) -> None:
    """A source that no node here can mount: the node says so, the API need not."""


def _empty_dir(errors: Errors, path: str, source: Object) -> None:
    if (limit := source.get("sizeLimit")) is not None and Quantity.parse(text(limit)).nanos < 0:
        errors.forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")


def _host_path(errors: Errors, path: str, source: Object) -> None:
    required(errors, path, source, "path")
    no_backsteps(errors, f"{path}.path", text(source.get("path")))


def _config_map(errors: Errors, path: str, source: Object) -> None:
    required(errors, path, source, "name")
    _mode(errors, f"{path}.defaultMode", source)
    _items(errors, path, source)


def _secret(errors: Errors, path: str, source: Object) -> None:
    required(errors, path, source, "secretName")
    _mode(errors, f"{path}.defaultMode", source)
    _items(errors, path, source)


def _items(errors: Errors, path: str, source: Object) -> None:
    for n, item in enumerate(objects(source.get("items"))):
        where = f"{path}.items[{n}]"
        if key := text(item.get("key")):
            errors.invalid_each(f"{where}.key", key, config_key(key))
        else:
            errors.required(f"{where}.key")
        _file(errors, where, item)


def _file(errors: Errors, path: str, item: Object) -> None:
    if name := text(item.get("path")):
        local_path(errors, f"{path}.path", name)
        if name.startswith(".."):
            errors.invalid(f"{path}.path", name, "must not start with '..'")
    else:
        errors.required(f"{path}.path")
    _mode(errors, f"{path}.mode", item)


def _mode(errors: Errors, path: str, source: Object) -> None:
    mode = source.get(path.rpartition(".")[2])
    if mode is not None and not 0 <= integer(mode) <= _MOST_MODE:
        errors.invalid(path, mode, "must be a number between 0 and 0777 (octal), both inclusive")


def _downward(errors: Errors, path: str, source: Object) -> None:
    _mode(errors, f"{path}.defaultMode", source)
    for n, item in enumerate(objects(source.get("items"))):
        where = f"{path}.items[{n}]"
        _file(errors, where, item)
        field, resource = item.get("fieldRef"), item.get("resourceFieldRef")
        if field is not None and resource is not None:
            errors.invalid(where, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
        elif field is not None:
            check_field(errors, f"{where}.fieldRef", mapping(field), VOLUME_FIELDS)
        elif resource is not None:
            required(errors, f"{where}.resourceFieldRef", mapping(resource), "containerName")
            check_resource(errors, f"{where}.resourceFieldRef", mapping(resource))
        else:
            errors.required(f"{where}.fieldRef", "one of fieldRef and resourceFieldRef is required")


def _projected(errors: Errors, path: str, source: Object) -> None:
    _mode(errors, f"{path}.defaultMode", source)
    for n, projection in enumerate(objects(source.get("sources"))):
        where = f"{path}.sources[{n}]"
        for name in one_of(errors, where, projection, _PROJECTIONS, "volume"):
            part = mapping(projection[name])
            if name in ("secret", "configMap"):
                required(errors, f"{where}.{name}", part, "name")
                _items(errors, f"{where}.{name}", part)
            elif name == "downwardAPI":
                _downward(errors, f"{where}.{name}", part)
            elif name == "serviceAccountToken":
                _token(errors, f"{where}.{name}", part)


def _token(errors: Errors, path: str, part: Object) -> None:
    required(errors, path, part, "path")
    if integer(part.get("expirationSeconds")) < _LEAST_TOKEN_S:
        errors.invalid(
            f"{path}.expirationSeconds",
            part.get("expirationSeconds"),
            "may not specify a duration less than 10 minutes",
        )


def _claim(errors: Errors, path: str, source: Object) -> None:
    required(errors, path, source, "claimName")


def _nfs(errors: Errors, path: str, source: Object) -> None:
    required(errors, path, source, "server", "path")
    if not text(source.get("path")).startswith("/"):
        errors.invalid(f"{path}.path", source.get("path"), "must be an absolute path")


def _csi(errors: Errors, path: str, source: Object) -> None:
    required(errors, path, source, "driver")


def _image(errors: Errors, path: str, source: Object) -> None:
    required(errors, path, source, "reference")


_SOURCES: dict[str, Check] = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "configMap": _config_map,
    "secret": _secret,
    "downwardAPI": _downward,
    "projected": _projected,
    "persistentVolumeClaim": _claim,
    "nfs": _nfs,
    "csi": _csi,
    "image": _image,
}
