"""The caches that a build imports: what they know by key, and the layers that they lend.

Lazy:         a cache is opened when a step is not in the local one, and a blob is fetched when something needs it.
Failure:      a cache that can not be read is a warning and knows nothing. A layer that can not be had, or is not what
              the cache says, is refused from then on, and its step runs.
Concurrency:  the solver's thread and its workers; the caches are opened under a lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from operator import attrgetter
from threading import Event, Lock

import msgspec

from jubako.build.graph.filesystem import Layer, Output
from jubako.build.graph.supply import LayerUnavailable
from jubako.build.progress import BuildProgress, shown_step
from jubako.build.remotecache.places import Place, opened
from jubako.build.remotecache.reading import Reading
from jubako.build.remotecache.spec import CacheFrom
from jubako.errors import DataLoss, JubakoError
from jubako.image.catalog import Images
from jubako.image.layer.codec import MAGIC_BYTES, detect
from jubako.spec.oci_image import Descriptor
from jubako.store import Lease, Store

_FAILURES_LIMIT = 3

_Pair = tuple[str, str]


class _Imported(msgspec.Struct, eq=False):
    """One cache that was opened. After some failures it is asked no more."""

    name: str
    place: Place
    outputs: dict[str, Output]
    failures: int = 0

    @property
    def is_usable(self) -> bool:
        return self.failures < _FAILURES_LIMIT


class ImportedCaches:
    """What `--cache-from` names; `stack` closes it."""

    def __init__(
        self,
        stack: ExitStack,
        store: Store,
        images: Images,
        lease: Lease,
        wanted: Sequence[CacheFrom],
        progress: BuildProgress,
    ) -> None:
        self._stack = stack
        self._store = store
        self._images = images
        self._lease = lease
        self._wanted = list(wanted)
        self._progress = progress
        self._lock = Lock()
        self._stopped = Event()
        self._caches: list[_Imported] = []
        self._lenders: dict[_Pair, list[_Imported]] = {}
        self._proven: set[_Pair] = set()

    def offers(self, key: str) -> list[Output]:
        """What the caches have under `key`, protected from now on: those with a layer's blob before those without."""
        found: list[Output] = []
        for cache in self._opened():
            output = cache.outputs.get(key)
            if output is not None:
                found.append(output)
                if output.layer:
                    self._lend(cache, output.layer)
        return sorted(found, key=lambda output: output.layer is not None and not output.layer.has_blob)

    def _lend(self, cache: _Imported, layer: Layer) -> None:
        self._lease.add(layer.blob.digest, layer.diff_id)
        lenders = self._lenders.setdefault(_pair(layer), [])
        if cache not in lenders:
            lenders.append(cache)

    def others(self, output: Output) -> list[str]:
        """All keys under which the opened caches have the same output."""
        return [key for cache in self._caches for key, other in cache.outputs.items() if other == output]

    def is_proven(self, output: Output) -> bool:
        """Whether what `output` says has been seen, so that it may be kept for later builds."""
        return output.layer is None or (_pair(output.layer) in self._proven and self._is_here(output.layer))

    def stop(self) -> None:
        self._stopped.set()

    def go_on(self) -> None:
        """After stop(), when nothing is being fetched any more."""
        self._stopped.clear()

    def doubts(self, layer: Layer) -> bool:
        return _pair(layer) in self._lenders and _pair(layer) not in self._proven

    @contextmanager
    def lent(self, layer: Layer) -> Iterator[None]:
        if not self.doubts(layer):
            yield
            return
        self._bring(layer)
        try:
            _check_type(self._store, layer.blob)
            yield
        except JubakoError as error:
            self._blame(self._lenders[_pair(layer)], error)
            raise LayerUnavailable([layer], error.message) from error
        self._proven.add(_pair(layer))

    def _bring(self, layer: Layer) -> None:
        if self._is_here(layer):
            return
        problem: JubakoError | None = None
        for cache in filter(attrgetter("is_usable"), self._lenders[_pair(layer)]):
            try:
                with shown_step(self._progress, f"[cache] fetching {layer.blob.digest}"):
                    cache.place.bring(self._store, layer.blob, self._stopped)
                return
            except JubakoError as error:
                self._blame([cache], error)
                problem = error
        raise LayerUnavailable([layer], problem.message if problem else "") from problem

    def _is_here(self, layer: Layer) -> bool:
        blobs = self._store.blobs
        return blobs.exists(layer.blob.digest) and blobs.stat(layer.blob.digest).size == layer.blob.size

    def _blame(self, caches: Sequence[_Imported], error: JubakoError) -> None:
        for cache in caches:
            cache.failures += 1
            self._progress.warning(f"cache {cache.name}: {error.message}; the step runs instead")

    def _opened(self) -> list[_Imported]:
        with self._lock:
            while self._wanted:
                wanted = self._wanted.pop(0)
                name = wanted.place if wanted.type == "registry" else f"{wanted.place}:{wanted.tag}"
                try:
                    with shown_step(self._progress, f"importing cache manifest from {name}") as tell:
                        place = opened(self._stack, self._images, wanted)
                        outputs = Reading(place, self._store, self._lease, self._stopped).outputs()
                        tell(f"{len(outputs)} records")
                except JubakoError as error:
                    self._progress.warning(f"failed to import cache {name}: {error.message}")
                    continue
                self._caches.append(_Imported(name, place, outputs))
            return [cache for cache in self._caches if cache.is_usable]


def _check_type(store: Store, blob: Descriptor) -> None:
    """Raises DataLoss for a blob that is compressed otherwise than its media type says: others would not unpack it."""
    with store.blobs.open(blob.digest) as stream:
        found = detect(stream.read(MAGIC_BYTES))
    if not blob.media_type.endswith("tar" if found == "none" else found):
        raise DataLoss(f"the blob {blob.digest} is called {blob.media_type}, but has compression {found}")


def _pair(layer: Layer) -> _Pair:
    return layer.diff_id, layer.blob.digest
