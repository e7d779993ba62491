"""ConfigMaps and Secrets: pods that are made of one hear of its changes.

Model:  pushed by the store's watch. What is immutable is what it was: when one is made anew under the same name, the
        pods that had the first keep what they had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from jubako.cluster.controllers.client import Change, ClusterClient, Listing
from jubako.cluster.controllers.following import follow
from jubako.cluster.controllers.kinds import Key, Kind, key_of
from jubako.cluster.node.volumes.references import Source
from jubako.cluster.types.document import Object, at


class Reader(Protocol):
    """What is made of ConfigMaps and Secrets."""

    def is_made_of(self, source: Source, namespace: str) -> bool: ...

    def source_changed(self, source: Source | None, *, renew: bool) -> None:
        """Look again; with `renew` what was made of it before is made again too, and all with None."""


class Sources:
    """Those of one kind."""

    def __init__(self, kind: Kind, client: ClusterClient, readers: Callable[[], Iterable[Reader]]) -> None:
        self._kind, self._client, self._readers = kind, client, readers
        self._fixed: set[Key] = set()

    async def run(self) -> None:
        """Run until cancelled."""
        async for found in follow(self._client, self._kind):
            if isinstance(found, Change):
                self._tell(found)
            else:
                self._begin(found)

    def _begin(self, found: Listing) -> None:
        """What came before the list, or in a gap, nobody has heard of."""
        self._fixed |= {key_of(each) for each in found.objects if _is_immutable(each)}
        for reader in self._readers():
            reader.source_changed(None, renew=True)

    def _tell(self, change: Change) -> None:
        key = key_of(change.object)
        source = Source(self._kind.name, key.name)
        readers = [reader for reader in self._readers() if reader.is_made_of(source, key.namespace)]
        for reader in readers:
            reader.source_changed(source, renew=key not in self._fixed)
        if change.type == "DELETED" and not readers:
            self._fixed.discard(key)
        elif _is_immutable(change.object):
            self._fixed.add(key)


def _is_immutable(document: Object) -> bool:
    return at(document, "immutable") is True
