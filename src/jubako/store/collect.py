"""Removing what nothing names any more.

The order makes it safe beside living processes: with additions to leases shut out, read the leases, then the roots,
then delete. A process records what it made before it lets its lease go, so each blob in use is in one or the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from jubako.spec.oci_image import Digest
from jubako.store.store import Store


class Freed(msgspec.Struct, frozen=True):
    """How many things were deleted, and the bytes that they took."""

    count: int = 0
    bytes: int = 0


def sweep(store: Store, roots: Callable[[], Iterable[Digest]]) -> Freed:
    """Delete the blobs that neither `roots` nor a lease names, and the temporary files of dead processes.

    `roots` is called once, after the leases are read; it returns all that must stay, children included.
    """
    count = freed_bytes = 0
    with store.leases.exclusive():
        keep = store.leases.held()
        keep.update(roots())
        for digest in list(store.blobs):
            if digest not in keep:
                size_bytes = store.blobs.usage(digest)
                count += store.blobs.delete(digest)
                freed_bytes += size_bytes
    return Freed(count, freed_bytes + store.ingest.reap() + store.partials.reap())
