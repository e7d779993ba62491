"""Whether a registry is here, and whether it works."""

from __future__ import annotations

from aiohttp import web

from jubako.registry.server.access.caller import Caller
from jubako.registry.server.metrics import CONTENT_TYPE, gauges
from jubako.registry.server.refusal import Refused
from jubako.registry.server.registry import Registry, in_thread
from jubako.registry.server.routes import Route
from jubako.spec.distribution import Code


async def base(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    """The API's version is in a header that every answer has."""
    return web.Response(body=b"{}", headers={"Content-Type": "application/json; charset=utf-8"})


async def health(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    """200 when records can be read; otherwise the refusal that says why."""
    await in_thread(registry.state.read.repositories.find, "")
    return web.Response(text="ok\n")


async def metrics(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    """Counters of all processes, and how much there is of what."""
    if not registry.configuration.metrics:
        raise Refused(Code.UNSUPPORTED, "there is no such endpoint", status=404)
    lines = [*registry.metrics.lines(), *gauges(await in_thread(_amounts, registry))]
    return web.Response(body=("\n".join(lines) + "\n").encode(), headers={"Content-Type": CONTENT_TYPE})


def _amounts(registry: Registry) -> list[tuple[str, str, float]]:
    read = registry.state.read
    stored = sum(entry.size or 0 for _, entry in read.repositories.items())
    return [
        ("jubako_registry_repositories", "Repositories.", len(read.repositories.keys())),
        ("jubako_registry_repository_bytes", "Bytes that repositories hold, shared ones in each.", stored),
        ("jubako_registry_uploads", "Uploads that were begun and not ended.", len(read.uploads.keys())),
        (
            "jubako_registry_deliveries",
            "Events that webhooks and peers are still to be told.",
            len(read.deliveries.keys()),
        ),
        (
            "jubako_registry_dropped_events",
            "Events that a full queue lost, in this process.",
            registry.state.outbox.dropped,
        ),
    ]
