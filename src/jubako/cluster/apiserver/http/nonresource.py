"""Paths that name no resource: the version, health, discovery and OpenAPI."""

from __future__ import annotations

import hashlib
import platform

from aiohttp import web

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.http.answers import encode
from jubako.cluster.types import discovery
from jubako.cluster.types.document import JSON, Object
from jubako.cluster.types.openapi import v2, v3
from jubako.cluster.types.openapi.paths import prefix
from jubako.cluster.types.resources import group_versions

_HEALTH = ("/healthz", "/livez", "/readyz")
_MAJOR, _MINOR = "1", "32"


def answer(request: web.Request) -> web.Response:
    """Answer a GET. Raises Failure (404)."""
    path = request.path.rstrip("/") or "/"
    if path == "/":
        return _json({"paths": _paths()})
    if path.startswith(_HEALTH):
        return web.Response(text=_health(path.split("/")[1]) if "verbose" in request.query else "ok")
    if path == "/version":
        return _json(_version())
    if path.startswith("/openapi"):
        return _openapi(request, path)
    if found := _discovery(request, path):
        return found
    raise failures.unknown_path()


def _health(what: str) -> str:
    """Who serves is well: what can be wrong ends the process."""
    return f"[+]ping ok\n{what} check passed\n"


def _paths() -> list[JSON]:
    served = group_versions(older=True)
    found = {"/.well-known/openid-configuration", "/openid/v1/jwks", "/version", "/openapi/v2", "/openapi/v3", "/api"}
    found |= {"/apis", *_HEALTH, *(f"{path}/ping" for path in _HEALTH)}
    found |= {prefix(each) for each in served} | {f"/apis/{each.group}" for each in served if each.group}
    found |= {f"/openapi/v3{prefix(each)}" for each in served}
    return [*sorted(found)]


def _version() -> Object:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return {
        "major": _MAJOR,
        "minor": _MINOR,
        "gitVersion": f"v{_MAJOR}.{_MINOR}.0+jubako",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "",
        "platform": f"linux/{machine}",
    }


def _discovery(request: web.Request, path: str) -> web.Response | None:
    served = group_versions(older=True)
    parts = path.strip("/").split("/")
    if path in ("/api", "/apis"):
        chosen = [group for group in served if bool(group.group) == (path == "/apis")]
        if "as=APIGroupDiscoveryList" in request.headers.get("Accept", ""):
            body = encode(discovery.aggregated(chosen))
            return _cached(request, body, hashlib.sha256(body).hexdigest().upper(), discovery.AGGREGATED)
        return _json(discovery.api_versions(request.host) if path == "/api" else discovery.api_group_list(served))
    if parts[0] == "apis" and len(parts) == 2:
        group = discovery.api_group(parts[1], served)
        return _json(group) if group else None
    group_version = path.removeprefix("/apis/").removeprefix("/api/")
    found = next((each for each in served if each.api_version == group_version), None)
    return _json(discovery.api_resource_list(found)) if found else None


def _openapi(request: web.Request, path: str) -> web.Response:
    if path == "/openapi/v2":
        old = v2.PROTOBUF_ACCEPTED in request.headers.get("Accept", "")
        body, tag = (v2.document_protobuf if old else v2.document)(group_versions(older=True))
        return _cached(request, body, tag, v2.PROTOBUF_TYPE if old else "application/json")
    if path == "/openapi/v3":
        return _json(v3.index(group_versions(older=True)))
    name = path.removeprefix("/openapi/v3/")
    for group in group_versions(older=True):
        if prefix(group).removeprefix("/") == name:
            return _cached(request, *v3.document(group), "application/json")
    raise failures.unknown_path()


def _cached(request: web.Request, body: bytes, tag: str, media_type: str) -> web.Response:
    headers = {"ETag": f'"{tag}"', "Vary": "Accept"}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, headers={**headers, "Content-Type": media_type})


def _json(document: Object) -> web.Response:
    return web.Response(body=encode(document), content_type="application/json")
