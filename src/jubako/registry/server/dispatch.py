"""From a request to its answer: limits, route, admission, endpoint, and the error body when one of them refuses."""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from aiohttp import web

from jubako.errors import JubakoError
from jubako.registry.server import routes
from jubako.registry.server.access.caller import ANONYMOUS, Caller
from jubako.registry.server.access.guard import has_credentials
from jubako.registry.server.accesslog import Entry, now, shortened
from jubako.registry.server.endpoints import HANDLERS, OPEN, PAGES, scope_of
from jubako.registry.server.endpoints.copies import refuse_push
from jubako.registry.server.refusal import Refused, from_kind
from jubako.registry.server.registry import Registry
from jubako.registry.server.routes import Route
from jubako.spec.distribution import API_VERSION, API_VERSION_HEADER, Code

_LOG = logging.getLogger("jubako.registry")
_USER = web.RequestKey("user", str)


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
        began = time.perf_counter()
        endpoint = "unknown"
        try:
            try:
                route = routes.parse(request.path, request.method)
                endpoint = route.endpoint
                response = await self._respond(request, route)
            except Refused as refused:
                response = _refusal(refused)
            await self._send(request, response)
        except ConnectionError:
            # Nobody waits for the answer any more.
            response.force_close()
        finally:
            self._active -= 1
            if not self._active:
                self._idle.set()
        self._note(request, endpoint, response, time.perf_counter() - began)
        return response

    async def _send(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Send what the endpoint did not send itself, so that its time counts."""
        if self._draining:
            response.force_close()
        if not response.prepared:
            response.headers[API_VERSION_HEADER] = API_VERSION
            await response.prepare(request)
            await response.write_eof()

    async def _respond(self, request: web.BaseRequest, route: Route) -> web.StreamResponse:
        try:
            return await self._answer(request, route)
        except JubakoError as error:
            refused = from_kind(error)
            if refused.status >= 500:
                _LOG.error("%s %s failed: %s", request.method, request.path, error)
            return _refusal(refused)
        except (ConnectionError, web.RequestPayloadError):
            # The client went away in the middle of its body: nobody reads this, but the session was left in order.
            return _refusal(Refused(Code.BLOB_UPLOAD_INVALID, "the request broke off"))
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                return _refusal(Refused(Code.UNKNOWN, "no space left on the registry's disk", status=507))
            return _failed(request)
        except Refused:
            raise
        except Exception:
            return _failed(request)

    async def _answer(self, request: web.BaseRequest, route: Route) -> web.StreamResponse:
        methods = HANDLERS[route.endpoint]
        handler = methods.get(request.method)
        if handler is None:
            allow = {"Allow": ", ".join(methods)}
            raise Refused(Code.UNSUPPORTED, f"{request.method} is not supported here", headers=allow)
        if route.endpoint == "token" and (request.method == "POST" or has_credentials(request)):
            with self._guess(request):
                return await handler(self._registry, request, route, ANONYMOUS)
        caller = ANONYMOUS
        if route.endpoint not in OPEN:
            caller = await self._admit(request, route)
            request[_USER] = caller.user
            refuse_push(self._registry, request, route)
        return await handler(self._registry, request, route, caller)

    async def _admit(self, request: web.BaseRequest, route: Route) -> Caller:
        """Let in whom the guard lets in, unless there are too many requests of theirs, or wrong passwords."""
        limiter, address = self._registry.limiter, request.remote or ""
        admission = self._registry.guard.admit
        scope, by_browser = scope_of(route, request.method), route.endpoint in PAGES
        if not has_credentials(request):
            _limit(limiter.take(address))
            return await admission(request, scope, by_browser=by_browser)
        with self._guess(request):
            caller = await admission(request, scope, by_browser=by_browser)
        _limit(limiter.take(caller.user or address))
        return caller

    @contextmanager
    def _guess(self, request: web.BaseRequest) -> Iterator[None]:
        """Count it where the body finds that a password was wrong; after too many the address waits before the next."""
        limiter, address = self._registry.limiter, request.remote or ""
        _limit(limiter.may_guess(address))
        try:
            yield
        except Refused as refused:
            if refused.status == 401 and not request.headers.get("Authorization", "").startswith("Bearer"):
                limiter.guessed_wrong(address)
            raise

    def _note(self, request: web.BaseRequest, endpoint: str, response: web.StreamResponse, seconds: float) -> None:
        received = request.content.total_bytes
        sent = 0 if request.method == "HEAD" else response.content_length or 0
        self._registry.metrics.observe(endpoint, response.status, seconds, received=received, sent=sent)
        if self._registry.access_log.is_on:
            entry = Entry(
                time=now(),
                client=request.remote or "",
                method=request.method,
                path=shortened(request.path),
                status=response.status,
                sent=sent,
                received=received,
                ms=round(seconds * 1000, 2),
                user=request.get(_USER, ""),
                agent=shortened(request.headers.get("User-Agent", "")),
            )
            self._registry.access_log.write(entry)


def _limit(wait_s: float) -> None:
    if wait_s > 0:
        headers = {"Retry-After": str(int(wait_s) + 1)}
        raise Refused(Code.TOOMANYREQUESTS, "too many requests", headers=headers)


def _failed(request: web.BaseRequest) -> web.Response:
    _LOG.exception("%s %s failed", request.method, request.path)
    return _refusal(Refused(Code.UNKNOWN, "internal error"))


def _refusal(refused: Refused) -> web.Response:
    return web.Response(
        status=refused.status,
        body=msgspec.json.encode(refused.body),
        headers={"Content-Type": "application/json; charset=utf-8", **refused.headers},
    )
