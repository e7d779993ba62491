"""OpenAPI v2: one document of all groups, in JSON and in the protobuf form that clients before v3 ask for."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import msgspec

from jubako.cluster.types.document import JSON, Object
from jubako.cluster.types.openapi import gnostic
from jubako.cluster.types.openapi.paths import PATCH_TYPES, parameter_type, paths
from jubako.cluster.types.openapi.schemas import Schemas
from jubako.cluster.types.openapi.v3 import kinds_of
from jubako.cluster.types.served import GroupVersion, Kind

# What clients accept, and what answers say: a media type has no @, and newer clients insist on it.
PROTOBUF_ACCEPTED = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
PROTOBUF_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_REFERENCE = "#/definitions/"


@lru_cache(maxsize=4)
def document(served: tuple[GroupVersion, ...]) -> tuple[bytes, str]:
    """Return the document as JSON, and its hash."""
    body = msgspec.json.encode(_document(served))
    return body, hashlib.sha512(body).hexdigest().upper()


@lru_cache(maxsize=4)
def document_protobuf(served: tuple[GroupVersion, ...]) -> tuple[bytes, str]:
    """Return the document as an openapi.v2.Document, and its hash."""
    body = gnostic.encode(_document(served))
    return body, hashlib.sha512(body).hexdigest().upper()


def _document(served: tuple[GroupVersion, ...]) -> Object:
    form = _Form()
    items: Object = {}
    for group in served:
        items.update(paths(group, form))
        form.schemas.kinds(kinds_of(group))
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": dict(sorted(items.items())),
        "definitions": dict(sorted(form.schemas.found.items())),
    }


class _Form:
    def __init__(self) -> None:
        self.schemas = Schemas(_REFERENCE, v3=False)

    def operation(self, method: str, action: str, kind: Kind, names: tuple[str, ...]) -> Object:
        schema = self.schemas.reference(kind.message_name)
        parameters: list[JSON] = [self.parameter(name, "query") for name in names]
        if method in ("post", "put", "patch"):
            parameters.append({"name": "body", "in": "body", "required": True, "schema": schema})
        return {
            "consumes": list(PATCH_TYPES) if method == "patch" else ["*/*"],
            "produces": ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"],
            "parameters": parameters,
            "responses": {"200": {"description": "OK", "schema": schema}},
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": {"group": kind.group, "version": kind.version, "kind": kind.name},
        }

    def parameter(self, name: str, location: str) -> Object:
        row: Object = {"name": name, "in": location, "type": parameter_type(name), "uniqueItems": True}
        required: Object = {"required": True} if location == "path" else {}
        return row | required
