"""GET, HEAD, PUT and DELETE of a manifest, by tag or digest."""

from __future__ import annotations

import msgspec
from aiohttp import web
from multidict import CIMultiDict

from jubako.image.manifest import MALFORMED
from jubako.registry.server.access.caller import Caller
from jubako.registry.server.endpoints.body import read_body
from jubako.registry.server.endpoints.conditions import entity_tag, settled
from jubako.registry.server.endpoints.copies import refresh_manifest
from jubako.registry.server.endpoints.negotiation import negotiated
from jubako.registry.server.manifests import LIMIT_BYTES
from jubako.registry.server.refusal import Refused
from jubako.registry.server.registry import Registry, in_thread
from jubako.registry.server.routes import Route
from jubako.spec import decoding
from jubako.spec.distribution import CONTENT_DIGEST_HEADER, DOCUMENT_TYPES, SUBJECT_HEADER, TAG_HEADER, Code

_TAGS_LIMIT = 100


class _Shape(msgspec.Struct, rename="camel"):
    media_type: str = ""


async def get(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    await refresh_manifest(registry, route)
    digest, entry = await negotiated(registry, request, route)
    headers = {"Content-Type": entry.media_type, CONTENT_DIGEST_HEADER: digest, "ETag": entity_tag(digest)}
    if (response := settled(request, digest, headers)) is not None:
        return response
    return web.Response(body=await registry.manifest(digest), headers=headers)


async def put(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    data = await read_body(request, LIMIT_BYTES, "a manifest")
    media_type = _media_type(request, data)
    tags = _tags(request)
    digest, subject = await in_thread(
        registry.manifests.put, route.name, route.reference, media_type, data, tags=tags, by=caller.user
    )
    headers = CIMultiDict({"Location": f"/v2/{route.name}/manifests/{digest}", CONTENT_DIGEST_HEADER: digest})
    headers.extend((TAG_HEADER, tag) for tag in tags)
    if subject:
        headers[SUBJECT_HEADER] = subject
    return web.Response(status=201, headers=headers)


async def delete(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    await in_thread(registry.manifests.delete, route.name, route.reference, by=caller.user)
    return web.Response(status=202)


def _tags(request: web.BaseRequest) -> list[str]:
    """More names for a manifest than the one in its path (of the specification's next version)."""
    tags = request.query.getall("tag", [])
    if len(tags) > _TAGS_LIMIT:
        raise Refused(Code.TAG_INVALID, f"a manifest may get at most {_TAGS_LIMIT} tags at once", status=414)
    return tags


def _media_type(request: web.BaseRequest, data: bytes) -> str:
    """What the manifest was pushed as: its Content-Type, or where that is missing what it says itself."""
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip()
    if not media_type:
        try:
            media_type = decoding.decode(data, _Shape).media_type
        except MALFORMED as error:
            raise Refused(Code.MANIFEST_INVALID, f"the manifest is not valid JSON: {error}") from error
    if media_type not in DOCUMENT_TYPES:
        raise Refused(Code.MANIFEST_INVALID, f"unsupported manifest media type {media_type[:100]!r}")
    return media_type
