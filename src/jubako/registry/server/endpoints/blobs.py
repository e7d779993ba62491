"""GET, HEAD and DELETE of a blob. Bytes that are in a file go to the socket by sendfile(2); Range is understood."""

from __future__ import annotations

from aiohttp import web

from jubako.errors import JubakoError, NotFound
from jubako.registry.server.access.caller import Caller
from jubako.registry.server.endpoints.conditions import entity_tag, settled
from jubako.registry.server.endpoints.copies import stream_blob
from jubako.registry.server.endpoints.ranges import wanted_range
from jubako.registry.server.endpoints.sending import broken_off, send_file
from jubako.registry.server.registry import Registry, in_thread
from jubako.registry.server.routes import Route
from jubako.spec.distribution import API_VERSION, API_VERSION_HEADER, CONTENT_DIGEST_HEADER


async def get(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    headers = {
        "Content-Type": "application/octet-stream",
        CONTENT_DIGEST_HEADER: route.reference,
        "ETag": entity_tag(route.reference),
        API_VERSION_HEADER: API_VERSION,
        "Cache-Control": "max-age=31536000, immutable",
    }
    try:
        link = registry.blobs.get(route.name, route.reference)
    except NotFound:
        upstream = registry.fetching.upstream_of(route.name)
        if upstream is None:
            raise
        if (streamed := await stream_blob(registry, request, route, upstream, headers)) is not None:
            return streamed
        link = registry.blobs.get(route.name, route.reference)
    if request.method == "HEAD" and registry.blobs.is_stale(link):
        # A client that looks whether a blob is here will build a manifest on it.
        await in_thread(registry.blobs.touch, route.name, route.reference)
    if (response := settled(request, route.reference, headers)) is not None:
        return response
    path = registry.state.storage.path(route.reference)
    if path is not None:
        return await send_file(request, path, route.reference, headers)
    return await _streamed(registry, request, route.reference, link.size, headers)


async def delete(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    await in_thread(registry.blobs.delete, route.name, route.reference)
    return web.Response(status=202)


async def _streamed(
    registry: Registry, request: web.BaseRequest, digest: str, size: int, headers: dict[str, str]
) -> web.StreamResponse:
    """From storage to the client, one piece in memory at a time."""
    start, end, partial = wanted_range(request, digest, size)
    headers |= {"Content-Length": str(end - start), "Accept-Ranges": "bytes"}
    if partial:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    response = web.StreamResponse(status=206 if partial else 200, headers=headers)
    pieces = registry.state.storage.pieces(digest, start, end)
    # The first piece before the status: an object store that fails is told as an error, not as a broken answer.
    piece = await in_thread(next, pieces, b"") if request.method == "GET" else b""
    await response.prepare(request)
    try:
        while piece:
            await response.write(piece)
            piece = await in_thread(next, pieces, b"")
        await response.write_eof()
    except (JubakoError, OSError) as error:
        broken_off(request, error)
    return response
