"""Blobs into layers: whatever an image needs and the snapshotter does not have yet, in parallel.

Invariant:    a layer is committed only if its uncompressed bytes hash to its diff_id.
Concurrency:  threads, since decompression, hashing and file calls leave the interpreter free; two processes that unpack
              the same layer both do the work, one rename wins, and the other draft goes.
"""

from __future__ import annotations

import io
import os
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Event, Lock
from typing import TYPE_CHECKING, BinaryIO, Self

from jubako.errors import Conflict, DataLoss
from jubako.image.layer import unpack
from jubako.image.layer.codec import decompressed
from jubako.image.progress import SILENT, Progress, short
from jubako.store import digest as digests

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from jubako.image.catalog import Image
    from jubako.snapshot.draft import LayerDraft
    from jubako.snapshot.snapshotter import Snapshotter
    from jubako.spec.oci_image import Descriptor, DiffID
    from jubako.store import Lease, Store

_REPORT_BYTES = 1 << 20
_BUFFER_BYTES = 256 << 10


def ensure(
    store: Store, snapshotter: Snapshotter, image: Image, *, progress: Progress | None = None, lease: Lease
) -> None:
    """Unpack the layers of `image` that are missing. NotFound for a blob, DataLoss for a wrong diff_id."""
    with Unpacking(store, snapshotter, progress=progress, lease=lease) as unpacking:
        for diff_id, layer in zip(image.diff_ids, image.manifest.layers, strict=True):
            unpacking.begin(diff_id, layer)


class Unpacking:
    """Layers being unpacked; leaving the context waits for them and raises what went wrong with the first."""

    def __init__(
        self, store: Store, snapshotter: Snapshotter, *, lease: Lease, progress: Progress | None = None
    ) -> None:
        self._store = store
        self._snapshotter = snapshotter
        self._lease = lease
        self._progress = progress
        self._cancelled = Event()
        self._beginning = Lock()
        self._jobs: dict[DiffID, Future[None]] = {}
        self._pool = ThreadPoolExecutor(os.cpu_count())

    def begin(self, diff_id: DiffID, layer: Descriptor, *, doubted: bool = False) -> None:
        """Begin with a layer, unless it is there or under way, and return at once. Any thread may call this.

        Of one that is there a `doubted` blob is compared with it: nobody has said yet that they belong together.
        """
        self._lease.add(diff_id)
        if not self._snapshotter.has_layer(diff_id):
            self._lease.add(layer.digest)
            self._submit(
                diff_id,
                partial(unpack_layer, self._store, self._snapshotter, diff_id, layer, self._progress, self._cancelled),
            )
        elif doubted and str(layer.digest) != str(diff_id):
            self._submit(diff_id, partial(check_layer, self._store, diff_id, layer))

    def finish(self) -> None:
        """Wait for all of them; raises what went wrong with the first."""
        for job in self._jobs.values():
            job.result()

    def _submit(self, diff_id: DiffID, work: Callable[[], None]) -> None:
        with self._beginning:
            if diff_id not in self._jobs:
                self._jobs[diff_id] = self._pool.submit(work)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.finish()
        finally:
            self._cancelled.set()
            self._pool.shutdown(cancel_futures=True)


def unpack_layer(
    store: Store,
    snapshotter: Snapshotter,
    diff_id: DiffID,
    layer: Descriptor,
    progress: Progress | None = None,
    cancelled: Event | None = None,
) -> None:
    """Unpack one blob into the layer `diff_id`."""
    watched_by = progress or SILENT
    with store.blobs.open(layer.digest) as blob, snapshotter.new_layer() as draft:
        watched = _Watched(blob, layer, watched_by, cancelled or Event())
        fill(draft, io.BufferedReader(watched, _BUFFER_BYTES), diff_id, layer, snapshotter.xattr_prefix)
        draft.commit(diff_id)
    watched_by.update(short(layer.digest), "Pull complete")


def check_layer(store: Store, diff_id: DiffID, layer: Descriptor) -> None:
    """Raises DataLoss unless the blob unpacks to `diff_id`, of which nothing is written."""
    algorithm = diff_id.partition(":")[0]
    digest = digests.hasher(algorithm)
    with store.blobs.open(layer.digest) as blob:
        for chunk in decompressed(blob):
            digest.update(chunk)
    _refuse_other(f"{algorithm}:{digest.hexdigest()}", diff_id, layer)


def fill(draft: LayerDraft, blob: BinaryIO, diff_id: DiffID, layer: Descriptor, xattr_prefix: str) -> None:
    """Unpack `blob`, which is `layer`, into a draft; DataLoss if it does not unpack to `diff_id`."""
    algorithm = diff_id.partition(":")[0]
    unpacked = unpack(blob, draft.fd, media_type=layer.media_type, xattr_prefix=xattr_prefix, algorithm=algorithm)
    _refuse_other(unpacked.diff_id, diff_id, layer)


def _refuse_other(found: str, diff_id: DiffID, layer: Descriptor) -> None:
    if found != diff_id:
        raise DataLoss(f"layer {layer.digest} unpacks to {found}, the image says {diff_id}")


class _Watched(io.RawIOBase):
    """A blob whose reader tells how far it is, and stops when nobody waits for it any more."""

    def __init__(self, blob: BinaryIO, layer: Descriptor, progress: Progress, cancelled: Event) -> None:
        self._blob = blob
        self._layer = layer
        self._progress = progress
        self._cancelled = cancelled
        self._done = self._reported = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._cancelled.is_set():
            raise Conflict(f"unpacking of {self._layer.digest} was cancelled")
        count: int = self._blob.readinto(buffer)  # type: ignore[attr-defined]
        self._done += count
        if self._done - self._reported >= _REPORT_BYTES or not count:
            self._reported = self._done
            self._progress.update(short(self._layer.digest), "Extracting", self._done, self._layer.size)
        return count
