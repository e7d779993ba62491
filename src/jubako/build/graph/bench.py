"""The workbench on which operations make layers: a fresh upper over the layers below, packed and kept.

Model:    one step is one snapshot, whose upper directory becomes one layer, blob and unpacked form both: what was built
          is never unpacked again.
Imports:  what only the making of layers needs is imported by it: a build from cache makes none.
Crash:    a snapshot's key stands in the build's lease while it is worked on; killed, both go with the next prune.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jubako.build.files.failure import explained
from jubako.build.graph.filesystem import Filesystem, Layer, Output
from jubako.build.graph.supply import LayerUnavailable, Nothing, Supply
from jubako.build.moment import Moment
from jubako.image.progress import SILENT, Progress
from jubako.snapshot import mounted
from jubako.spec.oci_image import Descriptor, DiffID

if TYPE_CHECKING:
    from jubako.snapshot import Snapshot, Snapshotter
    from jubako.store import Lease, Store

_LAYERS_AT_ONCE = 4


class Bench:
    """What the steps of one build share. Safe for several threads."""

    def __init__(
        self,
        store: Store,
        snapshotter: Snapshotter,
        lease: Lease,
        moment: Moment,
        progress: Progress = SILENT,
        *,
        supply: Supply | None = None,
    ) -> None:
        self.store = store
        self.snapshotter = snapshotter
        self.lease = lease
        self.moment = moment
        self._progress = progress
        self._supply = supply or Nothing()

    @contextmanager
    def view(self, filesystem: Filesystem) -> Iterator[int]:
        """Lend a directory fd of the file system's root, read-only."""
        self.ensure(filesystem)
        with mounted(self.snapshotter.view_mounts(filesystem.diff_ids)) as root_fd:
            yield root_fd

    def change(self, filesystem: Filesystem, act: Callable[[int], None]) -> Output:
        """Let `act` change a root (a directory fd) over `filesystem`, and make a layer of what it did."""
        with self.snapshot(filesystem) as snapshot:
            with mounted(self.snapshotter.mounts(snapshot, volatile=True)) as root_fd, explained("write"):
                act(root_fd)
            return self.commit(snapshot)

    @contextmanager
    def snapshot(self, filesystem: Filesystem) -> Iterator[Snapshot]:
        """Lend a writable snapshot over `filesystem`; it is gone afterwards, committed or not."""
        self.ensure(filesystem)
        key = f"build-{os.urandom(8).hex()}"
        self.lease.add(key)
        snapshot = self.snapshotter.prepare(key, filesystem.diff_ids)
        try:
            yield snapshot
        finally:
            self.snapshotter.remove(key)

    def commit(self, snapshot: Snapshot) -> Output:
        """Make a layer of what was written to an unmounted snapshot; no change makes none."""
        upper = self.snapshotter.upper(snapshot.key)
        fd = os.open(upper, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if not os.listdir(fd) and self._same_root(fd, snapshot.layers):
                return Output(None, self.moment.now())
            blob, diff_id = self._pack(fd)
        finally:
            os.close(fd)
        self.snapshotter.adopt_upper(snapshot.key, diff_id)
        return Output(Layer(diff_id, blob), self.moment.now())

    def ensure(self, filesystem: Filesystem) -> None:
        """Have every layer unpacked. Raises LayerUnavailable for one that a cache has promised in vain."""
        self.lease.add(*filesystem.diff_ids, *(layer.blob.digest for layer in filesystem.layers))
        missing = [layer for layer in filesystem.layers if not self.snapshotter.has_layer(layer.diff_id)]
        self._refuse_lacking(missing)
        self._fetch(missing)

    def have_blobs(self, filesystem: Filesystem) -> None:
        """Have the blob of every layer, each known to be what its diff_id says. Raises as ensure()."""
        self._refuse_lacking(filesystem.layers)
        self._fetch([layer for layer in filesystem.layers if self._supply.doubts(layer)])

    def _refuse_lacking(self, layers: Sequence[Layer]) -> None:
        if lacking := [layer for layer in layers if not layer.has_blob]:
            raise LayerUnavailable(lacking)

    def _fetch(self, layers: Sequence[Layer]) -> None:
        if len(layers) < 2:
            for layer in layers:
                self._unpack(layer)
            return
        with ThreadPoolExecutor(_LAYERS_AT_ONCE) as pool:
            jobs = [pool.submit(self._unpack, layer) for layer in layers]
            try:
                for job in jobs:
                    job.result()
            except BaseException as error:
                pool.shutdown(wait=False, cancel_futures=True)
                if not isinstance(error, Exception):
                    self._supply.stop()
                raise

    def _unpack(self, layer: Layer) -> None:
        """Unpack a layer, or check its blob where it is unpacked already: that may have been of another blob."""
        from jubako.snapshot.unpack import check_layer, unpack_layer

        with self._supply.lent(layer):
            if self.snapshotter.has_layer(layer.diff_id):
                check_layer(self.store, layer.diff_id, layer.blob)
            else:
                unpack_layer(self.store, self.snapshotter, layer.diff_id, layer.blob, self._progress)

    def _pack(self, fd: int) -> tuple[Descriptor, DiffID]:
        from jubako.image.layer import pack_blob

        while True:
            blob, diff_id = pack_blob(
                fd,
                self.store.blobs,
                xattr_prefix=self.snapshotter.xattr_prefix,
                source_date_epoch=self.moment.epoch,
            )
            self.lease.add(blob.digest, diff_id)
            # A prune between the blob's commit and the lease may have taken it.
            if self.store.blobs.exists(blob.digest):
                return blob, diff_id

    def _same_root(self, fd: int, layers: list[DiffID]) -> bool:
        """Whether the root directory itself is as prepare() made it."""
        now = os.fstat(fd)
        if not layers:
            return (now.st_mode & 0o7777, now.st_uid, now.st_gid) == (0o755, os.geteuid(), os.getegid())
        before = os.stat(self.snapshotter.layer_path(layers[-1]))
        return (now.st_mode, now.st_uid, now.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
