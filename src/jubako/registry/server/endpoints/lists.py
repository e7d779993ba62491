"""The lists: tags of a repository, repositories, and what refers to a manifest."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec
from aiohttp import web

from jubako.registry.server.access.caller import Caller
from jubako.registry.server.endpoints.copies import tags_upstream
from jubako.registry.server.refusal import Refused
from jubako.registry.server.registry import Registry, in_thread
from jubako.registry.server.routes import Route
from jubako.spec.distribution import FILTERS_APPLIED_HEADER, Catalog, Code, Referrers, TagList
from jubako.spec.oci_image import INDEX


async def tags(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    if (listed := await tags_upstream(registry, request, route.name)) is not None:
        document, link = listed
        return _json(document, {"Link": link} if link else {})
    names = await in_thread(registry.manifests.tags, route.name)
    page, headers = _page(request, names)
    return _json(TagList(route.name, page), headers)


async def catalog(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    names = [name for name in await in_thread(registry.manifests.repositories) if registry.may_see(caller, name)]
    page, headers = _page(request, names)
    return _json(Catalog(page), headers)


async def referrers(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    found = await in_thread(registry.manifests.referrers, route.name, route.reference)
    headers = {"Content-Type": INDEX}
    # A media type has no spaces: one there is a `+` that was not escaped.
    if wanted := request.query.get("artifactType", "").replace(" ", "+"):
        found = [descriptor for descriptor in found if descriptor.artifact_type == wanted]
        headers[FILTERS_APPLIED_HEADER] = "artifactType"
    return web.Response(body=msgspec.json.encode(Referrers(found)), headers=headers)


def _page(request: web.BaseRequest, names: list[str]) -> tuple[list[str], dict[str, str]]:
    """The part of `names` that `n` and `last` ask for, and the Link to the next part."""
    last, number = request.query.get("last"), request.query.get("n")
    if last is not None:
        names = [name for name in names if name > last]
    if number is None:
        return names, {}
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise Refused(Code.PAGINATION_NUMBER_INVALID, "invalid number of results requested", detail={"n": number[:32]})
    page = names[: int(number)]
    if not page or len(page) == len(names):
        return page, {}
    following = urlencode({"last": page[-1], "n": number})
    return page, {"Link": f'<{request.path}?{following}>; rel="next"'}


def _json(document: TagList | Catalog, headers: dict[str, str]) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(document), headers={"Content-Type": "application/json; charset=utf-8", **headers}
    )
