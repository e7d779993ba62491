"""The API for this process: what controllers and the node call, without HTTP between.

Model:  the same verbs, defaults, admission and validation as for anybody else; what a Status would say is raised as the
        kind of error that it is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import aclosing, contextmanager
from typing import TypeVar

from jubako import errors
from jubako.cluster.apiserver.api import Api
from jubako.cluster.apiserver.attributes import Attributes
from jubako.cluster.apiserver.caller import Request, User
from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.apiserver.objects import reading, stored
from jubako.cluster.apiserver.objects.deleting import DeleteOptions
from jubako.cluster.apiserver.objects.parts import BINDING
from jubako.cluster.apiserver.objects.watching import Notice, Watching, watch
from jubako.cluster.apiserver.special.binding import bound
from jubako.cluster.controllers.actions import Bind, Delete, Patch
from jubako.cluster.controllers.client import Change, Listing, Removal, Subresource
from jubako.cluster.controllers.kinds import Key, Kind, key_of, kind_of
from jubako.cluster.patch import apply_merge
from jubako.cluster.store import Item
from jubako.cluster.types.document import Object, mapping
from jubako.cluster.types.resources import core, resource_of
from jubako.cluster.types.served import Resource

T = TypeVar("T")


class Local:
    """A ClusterClient that speaks as `user`."""

    def __init__(self, api: Api, user: User, manager: str) -> None:
        self._api, self._user, self._manager = api, user, manager

    async def get(self, kind: Kind, key: Key) -> Object:
        with _kinds():
            return stored.decode(reading.get(self._api.store, _resource(kind), key.namespace, key.name))

    async def list(self, kind: Kind) -> Listing:
        found = reading.listing(self._api.store, reading.Selection(resource=_resource(kind)))
        return Listing([stored.decode(item) for item in found.items], found.revision)

    async def watch(self, kind: Kind, since: int) -> AsyncIterator[Change]:
        """Raises FailedPrecondition where the watch can not go on from there."""
        selection = reading.Selection(resource=_resource(kind), version=str(since))
        notices = watch(self._api.store, Watching(selection=selection, bookmarks=True, initial=False))
        async with aclosing(notices):
            with _kinds():
                async for batch in notices:
                    for notice in batch:
                        yield _change(notice)

    async def create(self, document: Object) -> Object:
        request = self._request(kind_of(document), key_of(document))
        return await self._stored(self._api.writer.create(request, stored.copy(document)))

    async def update(self, document: Object, subresource: Subresource = "") -> Object:
        request = self._request(kind_of(document), key_of(document), subresource)
        return await self._stored(self._api.writer.update(request, lambda old: stored.copy(document)))

    async def patch(self, patch: Patch) -> Object:
        def change(old: Object) -> Object:
            metadata = mapping(old["metadata"])
            if patch.uid and metadata.get("uid") != patch.uid:
                raise errors.Conflict(f"{patch.kind.name} {patch.key} is another one by now")
            if patch.version and metadata.get("resourceVersion") != patch.version:
                raise errors.Conflict(f"{patch.kind.name} {patch.key} has been modified")
            return mapping(apply_merge(old, patch.merge))

        return await self._stored(
            self._api.writer.update(self._request(patch.kind, patch.key, patch.subresource), change)
        )

    async def delete(self, delete: Delete) -> Removal:
        options = DeleteOptions(
            grace_s=delete.grace_s, propagation=delete.propagation or "", uid=delete.uid, version=delete.version
        )
        with _kinds():
            done = await self._api.deleter.delete(self._request(delete.kind, delete.key), options)
        return Removal(stored.decode(done.item), done.item.revision, done.gone)

    async def bind(self, bind: Bind) -> Object:
        pods = core("pods")
        binding: Object = {"metadata": {"name": bind.key.name}, "target": {"kind": "Node", "name": bind.node}}
        request = self._request(Kind("v1", "Pod"), bind.key, BINDING)
        return await self._stored(self._api.writer.update(request, bound(pods, binding, self._api.clock())))

    def _request(self, kind: Kind, key: Key, subresource: str = "") -> Request:
        found = _resource(kind)
        below = found.subresource(subresource) if subresource else None
        asked = Attributes(verb="", resource=found, namespace=key.namespace, name=key.name, subresource=below)
        return Request(attributes=asked, user=self._user, manager=self._manager)

    async def _stored(self, writing: Awaitable[Item]) -> Object:
        with _kinds():
            return stored.decode(await writing)


def _change(notice: Notice) -> Change:
    if notice.item is None:
        document = notice.document or {}
        if notice.kind == "ERROR":
            raise Failure(document)
        return Change("BOOKMARK", document, int(str(mapping(document["metadata"])["resourceVersion"])))
    return Change(notice.kind, stored.decode(notice.item), notice.item.revision)  # type: ignore[arg-type]


@contextmanager
def _kinds() -> Iterator[None]:
    """Raise what a Status says as the kind of error that it is."""
    try:
        yield
    except Failure as failed:
        raise _kind_of(failed) from failed


def _kind_of(failed: Failure) -> errors.JubakoError:
    match failed.code, failed.status.get("reason"):
        case 404, _:
            return errors.NotFound("object", "", message=failed.message)
        case 409, "AlreadyExists":
            return errors.AlreadyExists("object", "", message=failed.message)
        case 409, _:
            return errors.Conflict(failed.message)
        case 410, _:
            return errors.FailedPrecondition(failed.message)
        case 403, _:
            return errors.PermissionDenied(failed.message)
        case ((500 | 503 | 504), _):
            return errors.Unavailable(failed.message)
    return errors.InvalidArgument(failed.message)


def _resource(kind: Kind) -> Resource:
    group, _, version = kind.api_version.rpartition("/")
    found = resource_of(group, version, kind.name)
    if found is None:
        raise errors.InvalidArgument(f"no kind {kind.name} in {kind.api_version}")
    return found
