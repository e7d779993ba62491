"""Requests for copies of an upstream's repositories: what is missing is fetched while the client waits for it."""

from __future__ import annotations

from aiohttp import web

from jubako.errors import Unavailable
from jubako.registry.server.endpoints.sending import broken_off
from jubako.registry.server.outward.upstream import UpstreamCache
from jubako.registry.server.refusal import Refused
from jubako.registry.server.registry import Registry, in_thread
from jubako.registry.server.routes import Route
from jubako.spec.distribution import Code, TagList
from jubako.spec.oci_image import Digest

_WRITES = frozenset({"uploads", "upload"})


def refuse_push(registry: Registry, request: web.BaseRequest, route: Route) -> None:
    """Nothing is pushed to a copy; deleting from it is allowed, and makes room."""
    writes = route.endpoint in _WRITES or (route.endpoint == "manifest" and request.method == "PUT")
    if writes and registry.fetching.upstream_of(route.name) is not None:
        raise Refused(Code.UNSUPPORTED, f"{route.name} is a copy of an upstream's repository: push there")


async def refresh_manifest(registry: Registry, route: Route) -> None:
    """Bring a copy's manifest up to date; nothing for repositories of our own."""
    upstream = registry.fetching.upstream_of(route.name)
    if upstream is not None:
        await registry.fetching.manifest(upstream, route.name, route.reference)


async def tags_upstream(registry: Registry, request: web.BaseRequest, name: str) -> tuple[TagList, str] | None:
    """The upstream's list of tags; None for repositories of our own, and while the upstream is away."""
    upstream = registry.fetching.upstream_of(name)
    try:
        return await in_thread(upstream.tags, name, request.query_string) if upstream else None
    except Unavailable:
        return None


async def stream_blob(
    registry: Registry, request: web.BaseRequest, route: Route, upstream: UpstreamCache, headers: dict[str, str]
) -> web.StreamResponse | None:
    """A blob that comes from the upstream as it is sent on; None when it had to be here first, and now is."""
    download = registry.fetching.blob(upstream, route.name, Digest(route.reference))
    await download.started()
    if "Range" in request.headers:
        async for _ in download.pieces():
            pass
        return None
    response = web.StreamResponse(headers={**headers, "Content-Length": str(download.size)})
    await response.prepare(request)
    if request.method == "GET":
        try:
            async for piece in download.pieces():
                await response.write(piece)
        except Exception as error:
            broken_off(request, error)
            return response
    await response.write_eof()
    return response
