"""`system compact`: images whose layers are unpacked keep one copy of their bytes, where that is safe."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from jubako.errors import NotFound
from jubako.snapshot import compact as layers
from jubako.snapshot.compact import Compacted

if TYPE_CHECKING:
    from jubako.engine.drivers import Drivers
    from jubako.spec.oci_image import Digest

Report = Callable[[Compacted], None]
"""Told of each blob as it is done."""


def compact(drivers: Drivers, report: Report, *, dry_run: bool = False) -> int:
    """Leave the blobs of all unpacked layers to recipes that give them again; returns the bytes that this freed."""
    freed_bytes = 0
    seen: set[Digest] = set()  # images share layers
    with drivers.store.leases.hold("system compact") as lease:
        for image in drivers.images.list():
            for diff_id, layer in zip(image.diff_ids, image.manifest.layers, strict=True):
                lease.add(layer.digest, diff_id)
                if layer.digest in seen or not drivers.snapshots.has_layer(diff_id):
                    continue
                seen.add(layer.digest)
                if drivers.store.blobs.is_recipe(layer.digest):
                    continue
                with suppress(NotFound):  # of an image that is incomplete, or was removed meanwhile
                    done = layers.compact(drivers.store, drivers.snapshots, layer.digest, diff_id, dry_run=dry_run)
                    freed_bytes += done.freed_bytes
                    report(done)
    return freed_bytes


def undo(drivers: Drivers, report: Report) -> int:
    """Make all blobs again that are recipes; returns the bytes that they take. DataLoss for one that can not be."""
    made_bytes = 0
    with drivers.store.leases.hold("system compact") as lease:
        for digest in list(drivers.store.blobs.recipes):
            lease.add(digest)
            if drivers.store.blobs.is_recipe(digest):
                size = layers.restore(drivers.store, digest)
                made_bytes += size
                report(Compacted(digest=digest, size_bytes=size))
    return made_bytes
