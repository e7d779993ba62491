"""One request: who asks, for what, whether they may, and the answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.access.authentication import Certificate
from jubako.cluster.apiserver.access.impersonation import impersonated
from jubako.cluster.apiserver.api import Api
from jubako.cluster.apiserver.attributes import Attributes, attributes
from jubako.cluster.apiserver.audit.record import Record
from jubako.cluster.apiserver.caller import User
from jubako.cluster.apiserver.http import applied, bodies, nonresource, openid, patches, streams
from jubako.cluster.apiserver.http.answers import Answers, encode
from jubako.cluster.apiserver.http.auditing import Auditor
from jubako.cluster.apiserver.http.call import Call, failed_response, response
from jubako.cluster.apiserver.http.negotiation import wanted
from jubako.cluster.apiserver.http.parameters import check_list, check_watch, parameters
from jubako.cluster.apiserver.http.pods import PodStreams
from jubako.cluster.apiserver.http.proxying.answering import Proxy, proxied
from jubako.cluster.apiserver.http.running import Running
from jubako.cluster.apiserver.http.special import Special
from jubako.cluster.apiserver.objects import reading
from jubako.cluster.apiserver.objects.deleting import options_of
from jubako.cluster.apiserver.objects.watching import Watching
from jubako.cluster.apiserver.streams import Streams
from jubako.cluster.store import Item
from jubako.cluster.types.document import at, text
from jubako.errors import JubakoError

_log = logging.getLogger(__name__)
_Answer = Callable[[Call], Awaitable[web.StreamResponse]]


class Handler:
    """Answers every path."""

    def __init__(self, api: Api, streams: Streams, auditor: Auditor | None = None) -> None:
        self._api = api
        self._auditor = auditor or Auditor(api.clock, "none", None)
        self._running = Running()
        self._pods = PodStreams(api.store, streams, self._running)
        self._proxy = Proxy(api.store, streams, self._running)
        self._special = Special(api)
        self._verbs: dict[str, _Answer] = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }

    async def end_streams(self) -> None:
        """End what streams from the node, which must still be there."""
        await self._running.end()

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        record = self._auditor.begin(request)
        code, failed = 0, None
        try:
            response = await self._answer(request, record)
            code = response.status
            return response
        except JubakoError as error:
            failed = failures.of(error)
            return failed_response(failed)
        except (web.HTTPException, ConnectionResetError):
            raise
        except Exception:
            _log.exception("%s %s", request.method, request.path)
            failed = failures.failure(500, "InternalError", "Internal error occurred: see the log")
            return failed_response(failed)
        finally:
            self._auditor.end(record, failed.code if failed else code, failed.status if failed else None)

    async def prepared(self, request: web.Request, response: web.StreamResponse) -> None:
        """Called before the head of each answer is sent."""
        await self._auditor.prepared(request, response)

    async def _answer(self, request: web.Request, record: Record) -> web.StreamResponse:
        user = self._user(request, record)
        if (proxy := proxied(request)) is not None:
            record.asked = proxy
            # The verbs of RBAC do not know OPTIONS: who may do all may ask so.
            self._check(user, proxy, record, may_have_none=request.method == "OPTIONS")
            return await self._proxy.answer(request, proxy)
        given = parameters(request.query)
        asked = record.asked = attributes(request.method, request.path, watch=given.watch)
        if asked is None:
            record.allow(self._api.authorization.check_path(user, request.method.lower(), request.path))
            if request.method != "GET":
                raise failures.unknown_path()
            return openid.answer(request, self._api.tokens) or nonresource.answer(request)
        self._check(user, asked, record)
        call = Call(request, asked, user, given, wanted(request.headers.get("Accept", "")), record)
        special = self._pods.answer(call) or self._special.answer(call)
        answer = special or self._verbs.get(asked.verb)
        if answer is None:
            raise failures.method_not_allowed()
        return await answer(call)

    def _user(self, request: web.Request, record: Record) -> User:
        """Return as whom the request is to be served, and note what is asked and by whom. Raises Failure (401, 403)."""
        record.asked = attributes(request.method, request.path)
        user = record.user = self._api.authentication.user(_peer(request), request.headers.get("Authorization", ""))
        served = impersonated(user, request.headers, self._api.authorization)
        record.impersonated = served if served is not user else None
        return served

    def _check(self, user: User, asked: Attributes, record: Record, *, may_have_none: bool = False) -> None:
        """Raises Failure (403, 405) unless the verb is one of the resource, or is none and may be, and is allowed."""
        verbs = asked.subresource.verbs if asked.subresource else asked.resource.verbs
        if asked.verb not in verbs and not (may_have_none and asked.verb == ""):
            raise failures.method_not_allowed()
        record.allow(self._api.authorization.check(user, asked))

    async def _get(self, call: Call) -> web.StreamResponse:
        asked = call.asked
        return self._one(call, reading.get(self._api.store, asked.resource, asked.namespace, asked.name))

    async def _list(self, call: Call) -> web.StreamResponse:
        check_list(call.given)
        found = reading.listing(self._api.store, call.selection)
        return response(call, self._answers(call).many(found))

    async def _watch(self, call: Call) -> web.StreamResponse:
        given = call.given
        check_watch(given)
        asked = Watching(selection=call.selection, bookmarks=given.bookmarks, initial=given.initial)
        return await streams.stream(call.request, self._api.store, asked, self._answers(call), given.timeout_s)

    async def _create(self, call: Call) -> web.StreamResponse:
        decoded = await bodies.document(call.request, call.asked.resource.kind, call.given)
        call.record.name = text(at(decoded.document, "metadata", "name"))
        item = await self._api.writer.create(call.verb, decoded.document)
        call.record.name = item.key.rpartition("/")[2]
        return self._one(call, item, status=201, warnings=decoded.warnings)

    async def _update(self, call: Call) -> web.StreamResponse:
        decoded = await bodies.document(call.request, call.asked.resource.kind, call.given)
        item = await self._api.writer.update(call.verb, lambda old: decoded.document)
        return self._one(call, item, warnings=decoded.warnings)

    async def _patch(self, call: Call) -> web.StreamResponse:
        if call.request.content_type == patches.APPLY:
            config, warned = await applied.config_of(call.request, call.asked.resource.kind, call.asked, call.given)
            item, is_new = await self._api.apply(call.applies, config, force=call.given.force)
            return self._one(call, item, status=201 if is_new else 200, warnings=warned)
        change, warnings = await patches.change_of(call.request, call.asked.resource.kind, call.given)
        item = await self._api.writer.update(call.verb, change)
        return self._one(call, item, warnings=warnings)

    async def _delete(self, call: Call) -> web.StreamResponse:
        asked = call.asked
        options = options_of(await bodies.delete_options(call.request))
        done = await self._api.deleter.delete(call.verb, options)
        if done.gone and asked.resource.kind.name != "Pod":
            uid = reading.uid(done.item)
            return response(call, encode(failures.success(asked.resource, asked.name, uid)))
        return self._one(call, done.item)

    async def _delete_collection(self, call: Call) -> web.StreamResponse:
        options = options_of(await bodies.delete_options(call.request))
        found = reading.listing(self._api.store, call.selection)
        for item in found.items:
            await self._api.deleter.delete_item(call.verb, item, options)
        return response(call, self._answers(call).many(found))

    def _answers(self, call: Call) -> Answers:
        return Answers(call.asked.resource, call.form.form, call.given.include, self._api.clock)

    def _one(self, call: Call, item: Item, *, status: int = 200, warnings: list[str] | None = None) -> web.Response:
        return response(call, self._answers(call).one(item), status, warnings or [])


def _peer(request: web.Request) -> Certificate | None:
    shown, tls = request.get_extra_info("peercert"), request.get_extra_info("ssl_object")
    return Certificate(shown, tls.getpeercert(binary_form=True)) if shown else None
