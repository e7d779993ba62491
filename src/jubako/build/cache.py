"""The build cache: what each step made, by the key of all that it was made from.

Layout:       records `build-cache`: key -> the output, when it was made and last used, and what for
              pins of build-cache/<key>, which tell collection to keep blob and layer
Invariant:    an entry is used only while the blob of its layer is here, or if it says no more than what the layer is
              (of a step that another machine ran). The lease of who uses an entry names its key too.
Concurrency:  many processes; the same key twice is the same content, the later entry stays.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import msgspec

from jubako.build.graph.filesystem import Output
from jubako.store import Lease, Pins, Store

_COLLECTION = "build-cache"
_TOUCH_AFTER_NS = 3600 * 10**9


class CacheEntry(msgspec.Struct, frozen=True):
    """One step's output. Times are nanoseconds since the epoch. `unpacked_bytes` is what its layer takes unpacked, once
    that was measured."""

    output: Output
    name: str
    created_ns: int
    used_ns: int
    unpacked_bytes: int | None = None


class BuildCache:
    """The cache of one store. Safe for several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._entries = store.records.collection(_COLLECTION, CacheEntry)
        self._pins = Pins(store.records)

    def find(self, key: str, lease: Lease) -> Output | None:
        """The output under `key`, protected by `lease` from now on; None when there is none that can be used."""
        entry = self._entries.find(key)
        if entry is None:
            return None
        lease.add(key, *_digests(entry))
        layer = entry.output.layer
        if layer and layer.has_blob and not self._store.blobs.exists(layer.blob.digest):
            return None
        now_ns = time.time_ns()
        if now_ns - entry.used_ns > _TOUCH_AFTER_NS:
            self._write(key, msgspec.structs.replace(entry, used_ns=now_ns))
        return entry.output

    def put(self, key: str, output: Output, name: str) -> None:
        now_ns = time.time_ns()
        self._write(key, CacheEntry(output, name, now_ns, now_ns))

    def entries(self) -> list[tuple[str, CacheEntry]]:
        return self._entries.items()

    def note_size(self, keys: Iterable[str], unpacked_bytes: int) -> None:
        """Remember what the layer of these entries takes unpacked."""
        with self._store.records.transaction():
            for key in keys:
                entry = self._entries.find(key)
                if entry is not None:
                    self._entries.replace(key, msgspec.structs.replace(entry, unpacked_bytes=unpacked_bytes))

    def leased(self) -> set[str]:
        """The keys, blobs and layers that something works with now."""
        return self._store.leases.held()

    def forget(self, keys: Iterable[str]) -> None:
        """Take entries out; their blobs go by collection when nothing else needs them."""
        with self._store.records.transaction():
            for key in keys:
                self._delete(key)

    def _write(self, key: str, entry: CacheEntry) -> None:
        with self._store.records.transaction():
            self._delete(key)
            self._entries.insert(key, entry)
            self._pins.add(f"{_COLLECTION}/{key}", _digests(entry))

    def _delete(self, key: str) -> bool:
        self._pins.release(f"{_COLLECTION}/{key}")
        return self._entries.delete(key)


def _digests(entry: CacheEntry) -> list[str]:
    layer = entry.output.layer
    return [layer.blob.digest, layer.diff_id] if layer and layer.has_blob else []
