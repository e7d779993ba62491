"""Performing actions: one write each, its answer into the cache, and an event that tells of it.

Invariant: when a write was refused because it came from something old, or nobody knows whether it was done, the cache
is made new before the key is looked at again.
"""

from __future__ import annotations

from typing import assert_never

from jubako.cluster.controllers.actions import (
    Action,
    Bind,
    Create,
    Delete,
    EmitEvent,
    Patch,
    RequeueAfter,
    Update,
    UpdateStatus,
)
from jubako.cluster.controllers.client import ClusterClient
from jubako.cluster.controllers.kinds import POD, Key, Kind, key_of, kind_of
from jubako.cluster.controllers.manager import Manager, Work
from jubako.cluster.controllers.observed import revision
from jubako.cluster.controllers.telling import Teller
from jubako.cluster.objects import Object, name
from jubako.errors import AlreadyExists, Conflict, JubakoError, NotFound, Unavailable


class Performer:
    def __init__(self, client: ClusterClient, manager: Manager, teller: Teller) -> None:
        self._client, self._manager, self._teller = client, manager, teller

    async def work(self, work: Work) -> None:
        """Perform a work's actions up to the first that fails, and say how it went."""
        for action in work.actions:
            try:
                await self._perform(work, action)
            except (AlreadyExists, Conflict, NotFound):
                await self._refresh(action)
                return self._manager.finish(work, stale=True)
            except Unavailable as error:
                await self._relist(action)
                return self._manager.finish(work, failure=error.message)
            except JubakoError as error:
                self._note_refusal(work, action, error)
                return self._manager.finish(work, failure=error.message)
        return self._manager.finish(work)

    async def _perform(self, work: Work, action: Action) -> None:
        match action:
            case EmitEvent():
                self._note(work, action)
            case Create():
                made = await self._client.create(action.object)
                self._manager.put(made)
                self._note(work, action.created, made)
            case Update():
                self._manager.put(await self._client.update(action.object, action.subresource))
            case UpdateStatus():
                self._manager.put(await self._client.update(action.object, "status"))
            case Patch():
                self._manager.put(await self._client.patch(action))
            case Delete():
                await self._delete(work, action)
            case Bind():
                self._manager.put(await self._client.bind(action))
                self._note(work, action.bound)
            case RequeueAfter():
                pass
            case _:
                assert_never(action)

    async def _delete(self, work: Work, action: Delete) -> None:
        removal = await self._client.delete(action)
        if removal.gone:
            self._manager.remove(removal.object, removal.revision)
        else:
            self._manager.put(removal.object)
        self._note(work, action.deleted, removal.object)

    def _note_refusal(self, work: Work, action: Action, error: JubakoError) -> None:
        if isinstance(action, Create | Delete) and action.refused:
            event = action.refused
            message = event.message.replace("{error}", error.message)
            if isinstance(action, Create):
                message = message.replace("{name}", name(action.object))
            self._note(work, EmitEvent(event.regarding, event.reason, message, event.type, event.action))

    def _note(self, work: Work, event: EmitEvent | None, made: Object | None = None) -> None:
        if event is None:
            return
        if made is not None:
            message = event.message.replace("{name}", name(made))
            event = EmitEvent(event.regarding, event.reason, message, event.type, event.action)
        self._teller.note(work.controller.component, event, self._manager.clock.now())

    async def _refresh(self, action: Action) -> None:
        """Read what the action is about, which is another than the cache thinks."""
        about = _about(action)
        if about is None or not about[1].name:
            return
        try:
            self._manager.put(await self._client.get(*about))
        except NotFound:
            if (known := self._manager.cache.find(*about)) is not None:
                self._manager.remove(known, revision(known))
        except JubakoError:
            await self._relist(action)

    async def _relist(self, action: Action) -> None:
        """Read the whole kind: what a write that was not answered did is in the list, or was not done."""
        about = _about(action)
        if about is None:
            return
        listing = await self._client.list(about[0])
        self._manager.replace(about[0], listing.objects, listing.revision)


def _about(action: Action) -> tuple[Kind, Key] | None:
    match action:
        case Create() | Update() | UpdateStatus():
            return kind_of(action.object), key_of(action.object)
        case Patch() | Delete():
            return action.kind, action.key
        case Bind():
            return POD, action.key
    return None
