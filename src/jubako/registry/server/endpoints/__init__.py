"""The endpoints: which function answers which request, and what its caller must be allowed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from jubako.registry.server.access.caller import CATALOG, Caller, Scope
from jubako.registry.server.endpoints import blobs, lists, manifests, pages, status, token, uploads
from jubako.registry.server.registry import Registry
from jubako.registry.server.routes import Endpoint, Route

Handler = Callable[[Registry, web.BaseRequest, Route, Caller], Awaitable[web.StreamResponse]]


def _read(handler: Handler) -> dict[str, Handler]:
    return {"GET": handler, "HEAD": handler}


HANDLERS: dict[Endpoint, dict[str, Handler]] = {
    "base": _read(status.base),
    "health": _read(status.health),
    "metrics": _read(status.metrics),
    "token": {"GET": token.get, "POST": token.post},
    "keys": _read(token.keys),
    "home": _read(pages.home),
    "style": _read(pages.style),
    "page-repository": _read(pages.repository),
    "page-manifest": _read(pages.manifest),
    "catalog": _read(lists.catalog),
    "tags": _read(lists.tags),
    "referrers": _read(lists.referrers),
    "manifest": {**_read(manifests.get), "PUT": manifests.put, "DELETE": manifests.delete},
    "blob": {**_read(blobs.get), "DELETE": blobs.delete},
    "uploads": {"POST": uploads.start},
    "upload": {
        "GET": uploads.status,
        "PATCH": uploads.append,
        "PUT": uploads.finish,
        "DELETE": uploads.cancel,
    },
}
# Whoever asks these says in the request itself who they are, or need not.
OPEN: frozenset[Endpoint] = frozenset({"token", "keys", "health", "style"})
PAGES: frozenset[Endpoint] = frozenset({"home", "page-repository", "page-manifest"})
_ACTIONS: dict[str, tuple[str, ...]] = {"GET": ("pull",), "HEAD": ("pull",), "DELETE": ("delete",)}


def scope_of(route: Route, method: str) -> Scope:
    """What the caller of a request must be allowed."""
    if route.endpoint in ("base", "home", "metrics"):
        return Scope()
    if route.endpoint == "catalog":
        return CATALOG
    actions = ("pull", "push") if route.endpoint == "upload" else _ACTIONS.get(method, ("pull", "push"))
    return Scope("repository", route.name, actions)
