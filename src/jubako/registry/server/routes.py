"""From a request's path to the endpoint that it means, with names checked before anything is made of them."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from jubako.image.reference import is_digest
from jubako.registry.server.refusal import Refused
from jubako.spec.distribution import Code, is_repository, is_tag

Endpoint = Literal[
    "base",
    "token",
    "keys",
    "health",
    "metrics",
    "home",
    "style",
    "page-repository",
    "page-manifest",
    "catalog",
    "tags",
    "manifest",
    "blob",
    "uploads",
    "upload",
    "referrers",
]

_FIXED: dict[str, Endpoint] = {
    "/v2/": "base",
    "/v2": "base",
    "/v2/_catalog": "catalog",
    "/token": "token",
    "/.well-known/jwks.json": "keys",
    "/healthz": "health",
    "/metrics": "metrics",
    "/": "home",
    "/-/style.css": "style",
}
_REPOSITORY = re.compile(r"/v2/(.+)/(manifests|blobs/uploads|blobs|tags|referrers)/([^/]*)")
_PAGE = re.compile(r"/-/(repository|manifest)/([^@]+)(?:@(.+))?")
_KINDS: dict[str, Endpoint] = {"manifests": "manifest", "blobs": "blob", "referrers": "referrers"}


class Route(NamedTuple):
    """`reference` is a tag, a digest or an upload's ID, as the endpoint has it."""

    endpoint: Endpoint
    name: str = ""
    reference: str = ""


def parse(path: str, method: str = "PUT") -> Route:
    """Read a decoded path. Refused when there is no such endpoint or a name is malformed.

    What cannot be the name of a tag cannot be there either: who asks for it is told that, as with any other.
    """
    if path in _FIXED:
        return Route(_FIXED[path])
    match = _REPOSITORY.fullmatch(path)
    if match is None and (page := _PAGE.fullmatch(path)):
        return _parse_page(*page.groups())
    if match is None:
        raise Refused(Code.UNSUPPORTED, "there is no such endpoint", status=404)
    name, kind, reference = match.groups()
    if not is_repository(name):
        raise Refused(Code.NAME_INVALID, "invalid repository name", detail={"name": name[:256]})
    if kind == "blobs/uploads":
        return Route("upload" if reference else "uploads", name, reference)
    if kind == "tags":
        if reference != "list":
            raise Refused(Code.UNSUPPORTED, "there is no such endpoint", status=404)
        return Route("tags", name)
    _check_reference(kind, reference, method)
    return Route(_KINDS[kind], name, reference)


def _parse_page(kind: str, name: str, digest: str | None) -> Route:
    if is_repository(name) and kind == "repository" and digest is None:
        return Route("page-repository", name)
    if is_repository(name) and kind == "manifest" and digest and is_digest(digest):
        return Route("page-manifest", name, digest)
    raise Refused(Code.UNSUPPORTED, "there is no such page", status=404)


def _check_reference(kind: str, reference: str, method: str) -> None:
    if is_digest(reference) or (kind == "manifests" and ":" not in reference and is_tag(reference)):
        return
    if kind == "manifests" and ":" not in reference:
        if method in ("GET", "HEAD"):
            raise Refused(Code.MANIFEST_UNKNOWN, "manifest unknown", detail={"tag": reference[:256]})
        raise Refused(Code.TAG_INVALID, "manifest tag did not match its pattern", detail={"tag": reference[:256]})
    raise Refused(Code.DIGEST_INVALID, "invalid digest", detail={"digest": reference[:256]})
