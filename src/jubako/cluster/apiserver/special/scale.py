"""The subresource scale: replicas of whatever has them, in one form.

Spec: autoscaling/v1 Scale.
"""

from __future__ import annotations

from collections.abc import Callable

from jubako.cluster.apiserver import failures
from jubako.cluster.types.document import Object, child, integer, mapping, strings, text
from jubako.cluster.types.served import Kind

_SHARED = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(document: Object) -> Object:
    """Return the Scale of an object."""
    metadata, spec, status = (mapping(document.get(name)) for name in ("metadata", "spec", "status"))
    shown: Object = {"replicas": integer(status.get("replicas"))}
    wanted = mapping(spec.get("selector"))
    if document.get("kind") == "ReplicationController":  # its selector is one of labels alone
        wanted = {"matchLabels": wanted}
    if selector := _selector(wanted):
        shown["selector"] = selector
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: metadata[name] for name in _SHARED if name in metadata},
        "spec": {"replicas": integer(spec.get("replicas"))},
        "status": shown,
    }


def scaled(scale: Object) -> Callable[[Object], Object]:
    """Return the change that a Scale asks for. Raises Failure (422)."""
    replicas = integer(mapping(scale.get("spec")).get("replicas"))
    metadata = mapping(scale.get("metadata"))
    if replicas < 0:
        name = text(metadata.get("name"))
        why = f"spec.replicas: Invalid value: {replicas}: must be greater than or equal to 0"
        raise failures.failure(422, "Invalid", f'Scale.autoscaling "{name}" is invalid: {why}')

    def change(old: Object) -> Object:
        child(old, "spec")["replicas"] = replicas
        child(old, "metadata")["resourceVersion"] = text(metadata.get("resourceVersion"))
        return old

    return change


def config_of(applied: Object, of: Kind) -> Object:
    """Return what applying a Scale says of the object itself."""
    metadata, spec = mapping(applied.get("metadata")), mapping(applied.get("spec"))
    said: Object = {"replicas": spec["replicas"]} if "replicas" in spec else {}
    return {"apiVersion": of.api_version, "kind": of.name, "metadata": {"name": metadata.get("name")}, "spec": said}


def _selector(selector: Object) -> str:
    """Return a label selector as text."""
    found = [f"{key}={value}" for key, value in sorted(strings(selector.get("matchLabels")).items())]
    for each in selector.get("matchExpressions") or []:  # type: ignore[union-attr]
        expression = mapping(each)
        values = ",".join(sorted(text(value) for value in expression.get("values") or []))  # type: ignore[union-attr]
        key = text(expression.get("key"))
        found.append(
            {
                "In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key,
                "DoesNotExist": f"!{key}",
            }.get(text(expression.get("operator")), "")
        )  # fmt: skip
    return ",".join(found)
