"""OpenAPI v3: one document to a group and version, and an index that names each with its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache

import msgspec

from jubako.cluster.types.document import JSON, Object
from jubako.cluster.types.openapi.paths import PATCH_TYPES, parameter_type, paths, prefix
from jubako.cluster.types.openapi.schemas import Schemas
from jubako.cluster.types.resources import OPTIONS, kind
from jubako.cluster.types.served import GroupVersion, Kind

_REFERENCE = "#/components/schemas/"


def index(served: Iterable[GroupVersion]) -> Object:
    """Return what /openapi/v3 answers."""
    found: Object = {}
    for group in served:
        name = prefix(group).removeprefix("/")
        found[name] = {"serverRelativeURL": f"/openapi/v3/{name}?hash={document(group)[1]}"}
    return {"paths": found}


@lru_cache(maxsize=64)
def document(group: GroupVersion) -> tuple[bytes, str]:
    """Return the document of a group and version as JSON, and its hash."""
    body = msgspec.json.encode(_document(group))
    return body, hashlib.sha512(body).hexdigest().upper()


def _document(group: GroupVersion) -> Object:
    form = _Form()
    items: Object = dict(paths(group, form))
    form.schemas.kinds(kinds_of(group))
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": items,
        "components": {"schemas": dict(sorted(form.schemas.found.items()))},
    }


def kinds_of(group: GroupVersion) -> list[Kind]:
    """Return the kinds of a group's document: resources, subresources, their lists, and the options of requests."""
    kinds = [found.kind for found in group.resources]
    kinds += [sub.kind for found in group.resources for sub in found.subresources]
    names = [found.list_kind for found in group.resources if "list" in found.verbs]
    lists = [kind(group.api_version, name) for name in (*names, "Status", *sorted(OPTIONS & {"DeleteOptions"}))]
    return kinds + [found for found in lists if found]


class _Form:
    def __init__(self) -> None:
        self.schemas = Schemas(_REFERENCE, v3=True)

    def operation(self, method: str, action: str, kind: Kind, names: tuple[str, ...]) -> Object:
        content = {"schema": self.schemas.reference(kind.message_name)}
        found: Object = {
            "parameters": [self.parameter(name, "query") for name in names],
            "responses": {"200": {"description": "OK", "content": {"application/json": {**content}}}},
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": {"group": kind.group, "version": kind.version, "kind": kind.name},
        }
        if method in ("post", "put", "patch"):
            types = PATCH_TYPES if method == "patch" else ("*/*",)
            accepted: Object = {name: {**({} if method == "patch" else content)} for name in types}
            found["requestBody"] = {"content": accepted, "required": True}
        return found

    def parameter(self, name: str, location: str) -> Object:
        row: Object = {"name": name, "in": location, "schema": {"type": parameter_type(name), "uniqueItems": True}}
        required: dict[str, JSON] = {"required": True} if location == "path" else {}
        return row | required
