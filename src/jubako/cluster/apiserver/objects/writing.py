"""create and update.

Model:        an update is a change from what is stored to what shall be. Where the client does not say which version it
              has seen, the change is made again when somebody else was quicker; where it does, that is a conflict.
Invariant:    what is stored passed defaulting, admission and validation.
Concurrency:  admission may wait; the store has the last word about the revision.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.attributes import Attributes
from jubako.cluster.apiserver.caller import Request
from jubako.cluster.apiserver.objects import identity, ownership, stored, strategy
from jubako.cluster.apiserver.objects.parts import BINDING, EPHEMERAL
from jubako.cluster.apiserver.objects.reading import get
from jubako.cluster.store import AsyncStore, Event, Item, StaleRevision
from jubako.cluster.types.defaulting import default
from jubako.cluster.types.document import Object, child, mapping, text
from jubako.cluster.types.served import Kind
from jubako.cluster.types.validation import (
    FieldError,
    invalid_status,
    validate,
    validate_ephemeral_containers,
    validate_status_update,
    validate_update,
)
from jubako.errors import AlreadyExists, NotFound

Change = Callable[[Object], Object]
_NAMES, _TRIES = 8, 8


class Admission(Protocol):
    """Completes and judges what is about to be written. `old` is None for what is new."""

    async def admit(self, request: Request, document: Object, old: Object | None) -> None:
        """Change `document` in place, or raise Failure."""

    def judge(self, request: Request, document: Object, old: Object | None) -> None:
        """Raise Failure where what is complete and valid may not be written all the same."""

    async def land(self, request: Request, document: Object, write: Callable[[], Coroutine[Any, Any, Event]]) -> Event:
        """Write what was judged; nothing is awaited between the two."""


class Writer:
    def __init__(self, store: AsyncStore, admission: Admission, clock: Callable[[], datetime]) -> None:
        self._store, self._admission, self._clock = store, admission, clock

    async def create(self, request: Request, document: Object) -> Item:
        """Store a new object, durably. Raises Failure (400, 403, 409, 422)."""
        asked = request.attributes
        resource = asked.resource
        identity.place(document, resource, asked.namespace)
        identity.begin(document, self._clock())
        for _ in range(_NAMES):
            draft = stored.copy(document)
            made_up = identity.named(draft)
            default(resource.kind, draft)
            ownership.made(request, draft, self._clock())
            strategy.prepare_create(resource, draft)
            await self._admission.admit(request, draft, None)
            name = identity.name_of(draft)
            self._refuse(request, name, validate(resource.kind, draft))
            self._admission.judge(request, draft, None)
            try:
                return await self._create(request, stored.key(resource, asked.namespace, name), draft)
            except AlreadyExists:
                if not made_up:
                    raise failures.already_exists(resource, name) from None
        raise failures.already_exists(resource, name)

    async def apply(self, request: Request, config: Object, *, force: bool) -> tuple[Item, bool]:
        """Apply a document, durably, to what is there or to nothing; tell whether it was made. Raises Failure."""
        asked = request.attributes
        for _ in range(_TRIES):
            if asked.subresource or self.has(asked):
                item = await self.update(
                    request, lambda old: ownership.applied(request, config, old, self._clock(), force=force)
                )
                return item, False
            document = ownership.applied(request, config, None, self._clock(), force=force)
            try:
                return await self.create(request, document), True
            except failures.Failure as failed:
                if failed.status.get("reason") != "AlreadyExists":
                    raise
        raise failures.modified(asked.resource, asked.name)

    async def _create(self, request: Request, key: str, document: Object) -> Item:
        value = stored.encode(document, request.attributes.resource.kind)
        if request.dry_run:
            if self._is_there(key):
                raise AlreadyExists("object", key)
            return Item(key, value, 0)
        return _current(await self._admission.land(request, document, partial(self._store.create, key, value)))

    def has(self, asked: Attributes) -> bool:
        """Whether the object that is asked for is there."""
        return self._is_there(stored.key(asked.resource, asked.namespace, asked.name))

    def _is_there(self, key: str) -> bool:
        try:
            return bool(self._store.get(key))
        except NotFound:
            return False

    async def update(self, request: Request, change: Change) -> Item:
        """Make a change to an object, durably; it is gone when that took its last finalizer. Raises Failure."""
        asked = request.attributes
        for _ in range(_TRIES):
            item = get(self._store, asked.resource, asked.namespace, asked.name)
            document = change(stored.decode(item, asked.resource.kind))
            seen = text(mapping(document.get("metadata")).get("resourceVersion"))
            if seen not in ("", "0", str(item.revision)):
                raise failures.modified(asked.resource, asked.name)
            try:
                return await self._update(request, item, document)
            except StaleRevision:
                if seen not in ("", "0"):
                    raise failures.modified(asked.resource, asked.name) from None
            except NotFound:
                raise failures.not_found(asked.resource, asked.name) from None
        raise failures.modified(asked.resource, asked.name)

    async def _update(self, request: Request, item: Item, document: Object) -> Item:
        asked = request.attributes
        old = stored.decode(item, asked.resource.kind)
        self._check_identity(request, document, old)
        identity.keep(document, old)
        child(document, "metadata")["resourceVersion"] = str(item.revision)
        below = asked.subresource.name if asked.subresource else ""
        default(asked.resource.kind, document)
        ownership.changed(request, document, old, self._clock())
        strategy.prepare_update(asked.resource, document, old, below)
        await self._admission.admit(request, document, old)
        self._refuse(request, asked.name, _problems(asked.resource.kind, document, old, below))
        self._admission.judge(request, document, old)
        document = ownership.settled(request, document, old)
        if document == old:
            return item
        value = stored.encode(document, request.attributes.resource.kind)
        if request.dry_run:
            return Item(item.key, value, item.revision)
        if _is_over(document):
            await self._store.delete(item.key, item.revision)
            return Item(item.key, value, item.revision)
        write = partial(self._store.update, item.key, value, item.revision)
        return _current(await self._admission.land(request, document, write))

    def _check_identity(self, request: Request, document: Object, old: Object) -> None:
        asked = request.attributes
        identity.place(document, asked.resource, asked.namespace)
        name = identity.name_of(document)
        if name != asked.name:
            raise failures.bad_request(
                f"the name of the object ({name}) does not match the name on the URL ({asked.name})"
            )
        theirs, ours = (text(mapping(each["metadata"]).get("uid")) for each in (document, old))
        if theirs not in ("", ours):
            why = f"Precondition failed: UID in precondition: {theirs}, UID in object meta: {ours}"
            raise failures.conflict(asked.resource, asked.name, why)

    def _refuse(self, request: Request, name: str, problems: list[FieldError]) -> None:
        if problems:
            raise failures.Failure(invalid_status(request.attributes.resource.kind, name, problems))


def _problems(kind: Kind, document: Object, old: Object, below: str) -> list[FieldError]:
    if below == "status":
        return validate_status_update(kind, document, old)
    if below == BINDING:
        return validate(kind, document)
    if below == EPHEMERAL:
        return validate_ephemeral_containers(kind, document, old)
    return validate_update(kind, document, old)


def _current(event: Event) -> Item:
    assert event.current is not None
    return event.current


def _is_over(document: Object) -> bool:
    """Whether an object that was only waiting for its finalizers has none left."""
    metadata = mapping(document["metadata"])
    spec = mapping(mapping(document.get("spec"))) if document["kind"] == "Namespace" else {}
    waits = identity.finalizers(document) or spec.get("finalizers") or metadata.get("deletionGracePeriodSeconds")
    return bool(metadata.get("deletionTimestamp")) and not waits
