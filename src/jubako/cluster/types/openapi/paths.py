"""A resource -> its paths, with an operation for each verb: what clients look up to find kinds and accepted
parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from jubako.cluster.types.document import JSON, Object
from jubako.cluster.types.served import GroupVersion, Kind, Resource, Subresource

_WRITING = ("dryRun", "fieldManager", "fieldValidation")
_LISTING = (
    *("allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion"),
    *("resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch"),
)
# Verb: HTTP method, x-kubernetes-action, parameters; on the collection, then on one object.
_COLLECTION = {
    "list": ("get", "list", _LISTING),
    "create": ("post", "post", _WRITING),
    "deletecollection": ("delete", "deletecollection", ("dryRun", *_LISTING)),
}
_SINGLE: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "get": ("get", "get", ()),
    "update": ("put", "put", _WRITING),
    "patch": ("patch", "patch", (*_WRITING, "force")),
    "delete": ("delete", "delete", ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")),
}
_PARAMETER_TYPES = {
    **dict.fromkeys(("allowWatchBookmarks", "force", "orphanDependents", "sendInitialEvents", "watch"), "boolean"),
    **dict.fromkeys(("gracePeriodSeconds", "limit", "timeoutSeconds"), "integer"),
}
PATCH_TYPES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)


class Form(Protocol):
    """What an operation and a parameter look like in one version of OpenAPI."""

    def operation(self, method: str, action: str, kind: Kind, names: tuple[str, ...]) -> Object: ...

    def parameter(self, name: str, location: str) -> Object: ...


def prefix(group: GroupVersion) -> str:
    return f"/apis/{group.api_version}" if group.group else f"/api/{group.version}"


def parameter_type(name: str) -> str:
    return _PARAMETER_TYPES.get(name, "string")


def paths(group: GroupVersion, form: Form) -> Iterator[tuple[str, Object]]:
    """Yield each path and its item."""
    for resource in group.resources:
        base = prefix(group) + ("/namespaces/{namespace}" if resource.namespaced else "") + "/" + resource.plural
        if resource.namespaced and "list" in resource.verbs:
            listing: Object = {"get": form.operation("get", "list", resource.kind, _LISTING)}
            yield f"{prefix(group)}/{resource.plural}", listing
        if item := _operations(resource, _COLLECTION, form):
            yield base, {**item, **_path_parameters(base, form)}
        if item := _operations(resource, _SINGLE, form):
            yield base + "/{name}", {**item, **_path_parameters(base + "/{name}", form)}
        for sub in resource.subresources:
            path = f"{base}/{{name}}/{sub.name}"
            yield path, {**_subresource(sub, form), **_path_parameters(path, form)}


def _operations(resource: Resource, verbs: dict[str, tuple[str, str, tuple[str, ...]]], form: Form) -> Object:
    found = {verb: row for verb, row in verbs.items() if verb in resource.verbs}
    return {method: form.operation(method, action, resource.kind, names) for method, action, names in found.values()}


def _subresource(sub: Subresource, form: Form) -> Object:
    verbs = {**_SINGLE, "create": ("post", "post", _WRITING)}
    rows = [verbs[verb] for verb in sub.verbs]
    return {method: form.operation(method, action, sub.kind, names) for method, action, names in rows}


def _path_parameters(path: str, form: Form) -> Object:
    names = [name for name in ("namespace", "name") if f"{{{name}}}" in path]
    rows: list[JSON] = [form.parameter(name, "path") for name in names]
    return {"parameters": rows} if rows else {}
