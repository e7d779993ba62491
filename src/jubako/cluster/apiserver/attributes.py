"""What a request asks for: its verb, and the resource or the path that it names.

    /api/v1/[namespaces/NS/]RESOURCE[/NAME[/SUBRESOURCE[/REST]]]
    /apis/GROUP/VERSION/[namespaces/NS/]RESOURCE[/NAME[/SUBRESOURCE[/REST]]]

`watch/` behind the version is the old way to ask for a watch, of one object too.

Spec: "Kubernetes API Concepts", Resource URIs; "Authorization Overview", request verbs.
"""

from __future__ import annotations

import msgspec

from jubako.cluster.types.resources import resource
from jubako.cluster.types.served import Resource, Subresource

_COLLECTION_VERBS = {"GET": "list", "HEAD": "list", "POST": "create", "DELETE": "deletecollection"}
_OBJECT_VERBS = {
    "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete",
}  # fmt: skip
_NAMESPACE_PARTS = ("status", "finalize")


class Attributes(msgspec.Struct, frozen=True, kw_only=True):
    """`verb` is "" for a method that nothing is asked by. `rest` is what follows a subresource such as proxy."""

    verb: str
    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: Subresource | None = None
    rest: str = ""


def attributes(method: str, path: str, *, watch: bool = False) -> Attributes | None:
    """Return what is asked of a resource; None where the path names none that is served."""
    parts = path.strip("/").split("/")
    group, version, rest = _group(parts)
    is_watch = len(rest) > 1 and rest[0] == "watch" and method == "GET"
    if not rest:
        return None
    namespace, rest = _namespace(rest[1:] if is_watch else rest)
    found = resource(group, version, rest[0])
    if found is None or (namespace and not found.namespaced):
        return None
    name = rest[1] if len(rest) > 1 else ""
    below = found.subresource(rest[2]) if len(rest) > 2 else None
    if (len(rest) > 2 and below is None) or (name and found.namespaced and not namespace):
        return None
    if is_watch and below is not None:
        return None
    is_watch = is_watch or (watch and not name and method == "GET")
    verb = "watch" if is_watch else _verb(method, name=name, below=below)
    more = "/".join(rest[3:])
    return Attributes(verb=verb, resource=found, namespace=namespace, name=name, subresource=below, rest=more)


def _verb(method: str, *, name: str, below: Subresource | None) -> str:
    """An object is made where its kind is listed; only parts of one are made at its name."""
    if not name:
        return _COLLECTION_VERBS.get(method, "")
    return "create" if method == "POST" and below is not None else _OBJECT_VERBS.get(method, "")


def _group(parts: list[str]) -> tuple[str, str, list[str]]:
    if parts[0] == "api" and len(parts) > 2:
        return "", parts[1], parts[2:]
    if parts[0] == "apis" and len(parts) > 3:
        return parts[1], parts[2], parts[3:]
    return "", "", []


def _namespace(parts: list[str]) -> tuple[str, list[str]]:
    """Take `namespaces/NS` off the front, unless the namespace itself, or a part of it, is what is asked for."""
    if parts[0] != "namespaces" or len(parts) < 3 or (len(parts) == 3 and parts[2] in _NAMESPACE_PARTS):
        return "", parts
    return parts[1], parts[2:]
