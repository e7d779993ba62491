"""From a request to its answer: route, admission, endpoint, and the error body when one of them refuses."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from jubako.errors import JubakoError
from jubako.registry.server import routes
from jubako.registry.server.access.caller import ANONYMOUS, CATALOG, Caller, Scope
from jubako.registry.server.endpoints import blobs, lists, manifests, status, token, uploads
from jubako.registry.server.endpoints.copies import refuse_push
from jubako.registry.server.refusal import Refused, from_kind
from jubako.registry.server.registry import Registry
from jubako.registry.server.routes import Endpoint, Route
from jubako.spec.distribution import API_VERSION, API_VERSION_HEADER, Code

Handler = Callable[[Registry, web.BaseRequest, Route, Caller], Awaitable[web.StreamResponse]]

_LOG = logging.getLogger("jubako.registry")
_ACTIONS: dict[str, tuple[str, ...]] = {"GET": ("pull",), "HEAD": ("pull",), "DELETE": ("delete",)}


_HANDLERS: dict[Endpoint, dict[str, Handler]] = {
    "base": {"GET": status.base, "HEAD": status.base},
    "health": {"GET": status.health, "HEAD": status.health},
    "token": {"GET": token.get, "POST": token.post},
    "keys": {"GET": token.keys},
    "catalog": {"GET": lists.catalog},
    "tags": {"GET": lists.tags},
    "referrers": {"GET": lists.referrers},
    "manifest": {
        "GET": manifests.get,
        "HEAD": manifests.get,
        "PUT": manifests.put,
        "DELETE": manifests.delete,
    },
    "blob": {"GET": blobs.get, "HEAD": blobs.get, "DELETE": blobs.delete},
    "uploads": {"POST": uploads.start},
    "upload": {
        "GET": uploads.status,
        "PATCH": uploads.append,
        "PUT": uploads.finish,
        "DELETE": uploads.cancel,
    },
}
# Whoever asks these says in the request itself who they are, or need not.
_OPEN: frozenset[Endpoint] = frozenset({"token", "keys", "health"})


class Dispatcher:
    """The request handler of a registry's HTTP server."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._active = 0
        self._idle = asyncio.Event()
        self._draining = False

    async def drain(self) -> None:
        """Return when the requests that are being handled have been; connections close after their answer."""
        self._draining = True
        while self._active:
            self._idle.clear()
            await self._idle.wait()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self._active += 1
        try:
            response = await self._respond(request)
        finally:
            self._active -= 1
            if not self._active:
                self._idle.set()
        response.headers[API_VERSION_HEADER] = API_VERSION
        if self._draining:
            response.force_close()
        return response

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._answer(request)
        except Refused as refused:
            return _refusal(refused)
        except JubakoError as error:
            return _refusal(from_kind(error))
        except (ConnectionError, web.RequestPayloadError):
            # The client went away in the middle of its body: nobody reads this, but the session was left in order.
            return _refusal(Refused(Code.BLOB_UPLOAD_INVALID, "the request broke off"))
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                return _refusal(Refused(Code.UNKNOWN, "no space left on the registry's disk", status=507))
            return _failed(request)
        except Exception:
            return _failed(request)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        route = routes.parse(request.path)
        methods = _HANDLERS[route.endpoint]
        handler = methods.get(request.method)
        if handler is None:
            allow = {"Allow": ", ".join(methods)}
            raise Refused(Code.UNSUPPORTED, f"{request.method} is not supported here", headers=allow)
        caller = ANONYMOUS
        if route.endpoint not in _OPEN:
            caller = await self._registry.guard.admit(request, _scope(route, request.method))
            refuse_push(self._registry, request, route)
        return await handler(self._registry, request, route, caller)


def _failed(request: web.BaseRequest) -> web.Response:
    _LOG.exception("%s %s failed", request.method, request.path)
    return _refusal(Refused(Code.UNKNOWN, "internal error"))


def _scope(route: Route, method: str) -> Scope:
    if route.endpoint == "base":
        return Scope()
    if route.endpoint == "catalog":
        return CATALOG
    actions = _ACTIONS.get(method, ("pull", "push"))
    if route.endpoint == "upload":
        actions = ("pull", "push")
    return Scope("repository", route.name, actions)


def _refusal(refused: Refused) -> web.Response:
    return web.Response(
        status=refused.status,
        body=msgspec.json.encode(refused.body),
        headers={"Content-Type": "application/json; charset=utf-8", **refused.headers},
    )
