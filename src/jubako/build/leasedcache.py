"""The build cache as one build sees it: what is here, what other machines lend, and what is refused by now.

Concurrency:  the solver's thread and its workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from jubako.build.cache import BuildCache, CacheEntry
from jubako.build.graph.filesystem import Layer, Output
from jubako.store import Lease


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
