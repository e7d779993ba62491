"""Subresources, and kinds that are asked and never stored: what each answers to which verb."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.api import Api
from jubako.cluster.apiserver.http import applied, bodies, patches
from jubako.cluster.apiserver.http.answers import encode
from jubako.cluster.apiserver.http.call import Call, response
from jubako.cluster.apiserver.objects import reading, stored
from jubako.cluster.apiserver.objects.deleting import options_of
from jubako.cluster.apiserver.objects.parts import BINDING
from jubako.cluster.apiserver.special import account, binding, scale
from jubako.cluster.apiserver.special.reviews import Reviews
from jubako.cluster.types.columns import table
from jubako.cluster.types.document import Object, mapping, text
from jubako.cluster.types.resources import core
from jubako.cluster.types.served import Kind

_Answer = Callable[[Call], Awaitable[web.StreamResponse]]


class Special:
    def __init__(self, api: Api) -> None:
        self._api = api
        self._reviews = Reviews(api.authorization, api.tokens)
        self._answers: dict[tuple[str, str], _Answer] = {
            ("scale", "get"): self._scale,
            ("scale", "update"): self._rescale,
            ("scale", "patch"): self._patch_scale,
            ("binding", "create"): self._bind,
            ("eviction", "create"): self._evict,
            ("token", "create"): self._token,
        }

    def answer(self, call: Call) -> _Answer | None:
        """Return who answers; None where a verb of stored objects does."""
        below = call.asked.subresource
        if below is not None:
            return self._answers.get((below.name, call.asked.verb))
        if call.asked.verb == "create" and self._reviews.answers(call.asked.resource.kind.name):
            return self._review
        return self._bind if call.asked.resource.kind.name == "Binding" else None

    async def _scale(self, call: Call) -> web.StreamResponse:
        return self._scale_of(call, self._document(call))

    def _scale_of(self, call: Call, document: Object) -> web.Response:
        found = scale.scale_of(document)
        if call.form.form == "Table" and call.asked.subresource:
            kind, include = call.asked.subresource.kind, call.given.include
            found = table(kind, [found], self._api.clock(), include_object=include)
        return response(call, encode(found))

    async def _rescale(self, call: Call) -> web.StreamResponse:
        change = scale.scaled(await self._body(call))
        item = await self._api.writer.update(call.verb.of_whole(), change)
        return self._scale_of(call, stored.decode(item))

    async def _patch_scale(self, call: Call) -> web.StreamResponse:
        if call.request.content_type == patches.APPLY:
            return await self._apply_scale(call)
        change, _ = await patches.change_of(call.request, _kind(call), call.given)

        def rescale(old: Object) -> Object:
            return scale.scaled(change(scale.scale_of(old)))(old)

        item = await self._api.writer.update(call.verb.of_whole(), rescale)
        return self._scale_of(call, stored.decode(item))

    async def _apply_scale(self, call: Call) -> web.StreamResponse:
        config, _ = await applied.config_of(call.request, _kind(call), call.asked, call.given)
        self._document(call)  # a scale makes nothing
        whole = scale.config_of(config, call.asked.resource.kind)
        item, _ = await self._api.apply(call.applies.of_whole(), whole, force=call.given.force)
        return self._scale_of(call, stored.decode(item))

    async def _bind(self, call: Call) -> web.StreamResponse:
        asked = call.asked
        body = await self._body(call)
        name = asked.name or text(mapping(body.get("metadata")).get("name"))
        below = core("pods").subresource(BINDING)
        pods = msgspec.structs.replace(asked, resource=core("pods"), name=name, subresource=below)
        change = binding.bound(core("pods"), body, self._api.clock())
        await self._api.writer.update(msgspec.structs.replace(call.verb, attributes=pods), change)
        return response(call, encode(_success(201)), 201)

    async def _evict(self, call: Call) -> web.StreamResponse:
        body = await self._body(call)
        if text(mapping(body.get("metadata")).get("name")) != call.asked.name:
            raise failures.bad_request("name in URL does not match name in Eviction object")
        wanted = mapping(body.get("deleteOptions"))
        verb = msgspec.structs.replace(call.verb, dry_run=call.verb.dry_run or bool(wanted.get("dryRun")))
        await self._api.evictions.evict(verb, options_of(wanted))
        return response(call, encode(_success(201)), 201)

    async def _token(self, call: Call) -> web.StreamResponse:
        body = await self._body(call)
        bound = mapping(mapping(body.get("spec")).get("boundObjectRef"))
        pod = None
        if bound.get("kind") == "Pod":
            pod = stored.decode(
                reading.get(self._api.store, core("pods"), call.asked.namespace, text(bound.get("name")))
            )
        made = account.issued(self._api.tokens, self._document(call), body, pod)
        return response(call, encode(made), 201)

    async def _review(self, call: Call) -> web.StreamResponse:
        body = await self._body(call)
        kind = call.asked.resource.kind.name
        return response(call, encode(self._reviews.answer(kind, call.verb.user, body, call.asked.namespace)), 201)

    def _document(self, call: Call) -> Object:
        asked = call.asked
        return stored.decode(reading.get(self._api.store, asked.resource, asked.namespace, asked.name))

    async def _body(self, call: Call) -> Object:
        return (await bodies.document(call.request, _kind(call), call.given)).document


def _kind(call: Call) -> Kind:
    below = call.asked.subresource
    return below.kind if below else call.asked.resource.kind


def _success(code: int) -> Object:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": code}
