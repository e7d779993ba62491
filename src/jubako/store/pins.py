"""Pins: somebody's lasting word that a blob or a layer is wanted although no image names it.

Records `pin`: OWNER/DIGEST. A pin protects from collection until its owner takes it back; a lease, only while it works.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from jubako.store.records import Records


class Pin(msgspec.Struct, frozen=True):
    """All of it is in the key."""


class Pins:
    """The pins of one store. Owners have no `/` at the end of their names; call inside the owner's transaction."""

    def __init__(self, records: Records) -> None:
        self._pins = records.collection("pin", Pin)

    def add(self, owner: str, digests: Iterable[str]) -> None:
        for digest in digests:
            self._pins.insert(f"{owner}/{digest}", Pin())

    def release(self, owner: str) -> None:
        """Take back all that `owner` wanted."""
        for key in self._pins.keys(f"{owner}/"):
            self._pins.delete(key)

    def digests(self) -> set[str]:
        """All that anybody wants."""
        return {key.rpartition("/")[2] for key in self._pins.keys()}
