"""What controllers need of an API server.

A `ClusterClient` answers with the errors of `jubako.errors`: NotFound, AlreadyExists, Conflict (a resourceVersion or
uid that no longer holds), FailedPrecondition (410 Gone: the watch cannot go on from there), Unavailable (nobody knows
whether the write was done), and any other for a refusal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol

from jubako.cluster.controllers.actions import Bind, Delete, Patch
from jubako.cluster.controllers.kinds import Key, Kind
from jubako.cluster.objects import Object

Subresource = Literal["", "status", "finalize"]


@dataclass(frozen=True)
class Listing:
    """All objects of a kind as of a revision."""

    objects: list[Object]
    revision: int


@dataclass(frozen=True)
class Change:
    """One event of a watch. The revision of an object that was deleted is that of its deletion; that of a bookmark says
    how far the watch has come."""

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
    object: Object
    revision: int


@dataclass(frozen=True)
class Removal:
    """What a delete did: the object as it is now, or was last, and whether it is gone."""

    object: Object
    revision: int
    gone: bool


class ClusterClient(Protocol):
    async def get(self, kind: Kind, key: Key) -> Object: ...

    async def list(self, kind: Kind) -> Listing: ...

    def watch(self, kind: Kind, since: int) -> AsyncIterator[Change]:
        """The changes of a kind after a revision, in their order, without end."""
        ...

    async def create(self, document: Object) -> Object: ...

    async def update(self, document: Object, subresource: Subresource = "") -> Object:
        """Replace the object of this resourceVersion, or the part of it that a subresource is."""
        ...

    async def patch(self, patch: Patch) -> Object:
        """Merge into an object (RFC 7386) if its uid and version are these."""
        ...

    async def delete(self, delete: Delete) -> Removal: ...

    async def bind(self, bind: Bind) -> Object: ...
