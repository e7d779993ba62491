"""The build cache: what each step made, by the key of all that it was made from.

Layout:       records `build-cache`: key -> the output, when it was made and last used, and what for
              pins of build-cache/<key>, which tell collection to keep blob and layer
Invariant:    an entry is used only while the blob of its layer is here, or if it says no more than what the layer is
              (of a step that another machine ran). The lease of who uses an entry names its key too.
Concurrency:  many processes; the same key twice is the same content, the later entry stays.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from jubako.build.graph.filesystem import Layer, Output
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


class Elsewhere(Protocol):
    """Caches of other machines, as far as a build looks into them."""

    def offers(self, key: str) -> Sequence[Output]:
        """What they have under `key`, the best first."""

    def others(self, output: Output) -> list[str]: ...

    def is_proven(self, output: Output) -> bool: ...


class LeasedCache:
    """The cache as one build uses it: hits come under its lease, and from `elsewhere` what is not here.

    With `fresh` nothing is found, but kept for later. `used` is all that the build found or made.
    """

    def __init__(
        self, cache: BuildCache, lease: Lease, elsewhere: Elsewhere | None = None, *, fresh: bool = False
    ) -> None:
        self._cache = cache
        self._lease = lease
        self._elsewhere = elsewhere
        self._fresh = fresh
        self._refused: list[Layer] = []
        self._borrowed: dict[str, tuple[Output, str]] = {}
        self.used: dict[str, Output] = {}
        self.has_grown = False

    def find(self, key: str, name: str) -> Output | None:
        if self._fresh:
            return None
        output = self._unrefused([self._cache.find(key, self._lease)])
        if self._elsewhere is not None and not _is_whole(output):
            found = self._unrefused(self._elsewhere.offers(key))
            if found is not None and (output is None or _is_whole(found)):
                self._borrowed[key] = (found, name)
                output = found
        if output is not None:
            self.used[key] = output
        return output

    def _unrefused(self, outputs: Sequence[Output | None]) -> Output | None:
        return next((output for output in outputs if output and output.layer not in self._refused), None)

    def put(self, key: str, output: Output, name: str) -> None:
        if output.settled:
            self._lease.add(key)
            self._cache.put(key, output, name)
            self._borrowed.pop(key, None)
            self.used[key] = output
            self.has_grown = True

    def refuse(self, layers: Sequence[Layer]) -> bool:
        """The build begins again, without what leads to these layers; False if it was without them already."""
        added = [layer for layer in layers if layer not in self._refused]
        self._refused += added
        self.used.clear()
        self._borrowed.clear()
        return bool(added)

    def keep_borrowed(self) -> None:
        """Keep what came from elsewhere: whole where it is here and proven to be right, else what it came to."""
        assert self._elsewhere is not None
        for key, (output, name) in list(self._borrowed.items()):
            if self._elsewhere.is_proven(output):
                self.put(key, output, name)
            elif output.layer:
                known = msgspec.structs.replace(output, layer=Layer.without_blob(output.layer.diff_id))
                self._cache.put(key, known, name)

    def known(self) -> dict[str, Output]:
        """All that was used, also under the other keys that lead to it."""
        found = dict(self.used)
        same: dict[tuple[str, str, str], list[str]] = {}
        entries = dict(self._cache.entries())
        for key, entry in entries.items():
            same.setdefault(_identity(entry), []).append(key)
        for key, output in self.used.items():
            others = self._elsewhere.others(output) if self._elsewhere else []
            if key in entries:
                others = [*others, *same[_identity(entries[key])]]
            found.update(dict.fromkeys(others, output))
        return found


def _is_whole(output: Output | None) -> bool:
    return output is not None and (output.layer is None or output.layer.has_blob)


def _identity(entry: CacheEntry) -> tuple[str, str, str]:
    layer = entry.output.layer
    return layer.diff_id if layer else "", entry.output.created, entry.name
