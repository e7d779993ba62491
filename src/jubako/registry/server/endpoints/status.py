"""Whether a registry is here, and whether it works."""

from __future__ import annotations

from aiohttp import web

from jubako.registry.server.access.caller import Caller
from jubako.registry.server.registry import Registry, in_thread
from jubako.registry.server.routes import Route


async def base(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    """The API's version is in a header that every answer has."""
    return web.Response(body=b"{}", headers={"Content-Type": "application/json; charset=utf-8"})


async def health(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    """200 when records can be read; otherwise the refusal that says why."""
    await in_thread(registry.state.read.repositories.find, "")
    return web.Response(text="ok\n")
