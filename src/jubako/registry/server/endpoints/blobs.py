"""GET, HEAD and DELETE of a blob. Bytes go from file to socket by sendfile; Range is understood."""

from __future__ import annotations

from aiohttp import web

from jubako.registry.server.registry import Registry, in_thread
from jubako.registry.server.routes import Route
from jubako.spec.distribution import CONTENT_DIGEST_HEADER


async def get(registry: Registry, request: web.BaseRequest, route: Route, user: str) -> web.StreamResponse:
    link = registry.blobs.get(route.name, route.reference)
    if request.method == "HEAD" and registry.blobs.is_stale(link):
        # A client that looks whether a blob is here will build a manifest on it.
        await in_thread(registry.blobs.touch, route.name, route.reference)
    return web.FileResponse(
        registry.state.store.blobs.path(route.reference),
        headers={
            "Content-Type": "application/octet-stream",
            CONTENT_DIGEST_HEADER: route.reference,
            "Cache-Control": "max-age=31536000, immutable",
        },
    )


async def delete(registry: Registry, request: web.BaseRequest, route: Route, user: str) -> web.StreamResponse:
    await in_thread(registry.blobs.delete, route.name, route.reference)
    return web.Response(status=202)
