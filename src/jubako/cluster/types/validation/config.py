"""Checks of ConfigMaps and Secrets: their keys, their size, what a type of secret must hold, and that what is
immutable stays."""

from __future__ import annotations

import base64
import json

from jubako.cluster.types.document import Object, mapping, strings, text
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.names import config_key

MAX_DATA_BYTES = 1024 * 1024
_ACCOUNT = "kubernetes.io/service-account.name"
# The entries that a secret of a type must have.
_NEEDED = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_BASIC = ("username", "password")


def config_map(errors: Errors, document: Object) -> None:
    data, binary = strings(document.get("data")), strings(document.get("binaryData"))
    for key in data:
        errors.invalid_each(f"data[{key}]", key, config_key(key))
        if key in binary:
            errors.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    for key in binary:
        errors.invalid_each(f"binaryData[{key}]", key, config_key(key))
    size_bytes = sum(len(value.encode()) for value in data.values()) + sum(
        _decoded_bytes(value) for value in binary.values()
    )
    if size_bytes > MAX_DATA_BYTES:
        errors.too_long("", MAX_DATA_BYTES)


def secret(errors: Errors, document: Object) -> None:
    data, kind = strings(document.get("data")), text(document.get("type"))
    for key in data:
        errors.invalid_each(f"data[{key}]", key, config_key(key))
    if sum(_decoded_bytes(value) for value in data.values()) > MAX_DATA_BYTES:
        errors.too_long("data", MAX_DATA_BYTES)
    for key in _NEEDED.get(kind, ()):
        if key not in data:
            errors.required(f"data[{key}]")
        elif kind.startswith("kubernetes.io/docker"):
            _is_json(errors, f"data[{key}]", data[key])
    if kind == "kubernetes.io/basic-auth" and not any(key in data for key in _BASIC):
        for key in _BASIC:
            errors.required(f"data[{key}]")
    if kind == "kubernetes.io/service-account-token" and not _annotation(document, _ACCOUNT):
        errors.required(f"metadata.annotations[{_ACCOUNT}]")


def _decoded_bytes(encoded: str) -> int:
    return len(encoded) // 4 * 3 - encoded[-2:].count("=")


def _annotation(document: Object, name: str) -> str:
    return text(mapping(mapping(document.get("metadata")).get("annotations")).get(name))


def _is_json(errors: Errors, path: str, encoded: str) -> None:
    try:
        json.loads(base64.b64decode(encoded))
    except (ValueError, RecursionError):
        errors.invalid(path, "<secret contents redacted>", "invalid character in the JSON of a registry's credentials")


def config_map_update(errors: Errors, document: Object, old: Object) -> None:
    _immutable(errors, document, old, "data", "binaryData")


def secret_update(errors: Errors, document: Object, old: Object) -> None:
    errors.unchanged("type", document.get("type"), old.get("type"))
    _immutable(errors, document, old, "data")


def _immutable(errors: Errors, document: Object, old: Object, *names: str) -> None:
    if not old.get("immutable"):
        return
    detail = "field is immutable when `immutable` is set"
    if not document.get("immutable"):
        errors.forbidden("immutable", detail)
    for name in names:
        if mapping(document.get(name)) != mapping(old.get(name)):
            errors.forbidden(name, detail)
