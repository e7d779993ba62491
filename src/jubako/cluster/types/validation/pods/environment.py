"""The environment of a container, and references to fields and resources of its pod."""

from __future__ import annotations

import re

from jubako.cluster.types.document import Object, mapping, objects, text
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.fields import required
from jubako.cluster.types.validation.names import config_key, environment_name, qualified_name

_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef")
_PLACES = ("metadata.name", "metadata.namespace", "metadata.uid")
ENVIRONMENT_FIELDS = (
    *_PLACES, "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
VOLUME_FIELDS = ("metadata.annotations", "metadata.labels", *_PLACES)
_KNOWN = {*ENVIRONMENT_FIELDS, *VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase"}
_RESOURCES = tuple(
    f"{kind}.{name}" for kind in ("limits", "requests") for name in ("cpu", "ephemeral-storage", "memory")
)


def check(errors: Errors, path: str, container: Object) -> None:
    for n, variable in enumerate(objects(container.get("env"))):
        _variable(errors, f"{path}.env[{n}]", variable)
    for n, source in enumerate(objects(container.get("envFrom"))):
        _from(errors, f"{path}.envFrom[{n}]", source)


def _variable(errors: Errors, path: str, variable: Object) -> None:
    if name := text(variable.get("name")):
        errors.invalid_each(f"{path}.name", name, environment_name(name))
    else:
        errors.required(f"{path}.name")
    if variable.get("valueFrom") is None:
        return
    source = mapping(variable.get("valueFrom"))
    given = [name for name in _SOURCES if source.get(name) is not None]
    if not given:
        listed = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        errors.invalid(f"{path}.valueFrom", "", f"must specify one of: {listed}")
    elif variable.get("value"):
        errors.invalid(f"{path}.valueFrom", "", "may not be specified when `value` is not empty")
    elif len(given) > 1:
        errors.invalid(f"{path}.valueFrom", "", "may not have more than one field specified at a time")
    for name in given:
        _source(errors, f"{path}.valueFrom.{name}", name, mapping(source[name]))


def _source(errors: Errors, path: str, name: str, source: Object) -> None:
    if name == "fieldRef":
        check_field(errors, path, source, ENVIRONMENT_FIELDS)
    elif name == "resourceFieldRef":
        check_resource(errors, path, source)
    else:
        required(errors, path, source, "name")
        if key := text(source.get("key")):
            errors.invalid_each(f"{path}.key", key, config_key(key))
        else:
            errors.required(f"{path}.key")


def check_field(errors: Errors, path: str, source: Object, supported: tuple[str, ...]) -> None:
    """Check a reference to a field of the pod, one label or annotation included."""
    field = text(source.get("fieldPath"))
    required(errors, path, source, "apiVersion")
    if not field:
        errors.required(f"{path}.fieldPath")
    elif found := re.fullmatch(r"metadata\.(annotations|labels)\['(.*)'\]", field):
        errors.invalid_each(path, found.group(2), qualified_name(found.group(2).lower()))
    elif field not in _KNOWN:
        detail = f"error converting fieldPath: field label not supported: {field}"
        errors.invalid(f"{path}.fieldPath", field, detail)
    elif field not in supported:
        errors.unsupported(f"{path}.fieldPath", field, supported)


def check_resource(errors: Errors, path: str, source: Object) -> None:
    resource = text(source.get("resource"))
    if not resource:
        errors.required(f"{path}.resource")
    elif resource not in _RESOURCES and ".hugepages-" not in resource:
        errors.unsupported(f"{path}.resource", resource, _RESOURCES)


def _from(errors: Errors, path: str, source: Object) -> None:
    if prefix := text(source.get("prefix")):
        errors.invalid_each(f"{path}.prefix", prefix, environment_name(prefix))
    given = [name for name in ("configMapRef", "secretRef") if source.get(name) is not None]
    if not given:
        errors.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
    elif len(given) > 1:
        errors.invalid(path, "", "may not have more than one field specified at a time")
    for name in given:
        required(errors, f"{path}.{name}", mapping(source[name]), "name")
