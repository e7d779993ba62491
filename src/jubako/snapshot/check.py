"""Whether an unpacked layer is still what its blob unpacks to.

Model: the blob is unpacked once more, beside it, and both are packed: equal trees give equal digests.
       Fractions of seconds do not count, nor what no layer can hold (sockets).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from jubako.errors import JubakoError
from jubako.image.layer import pack
from jubako.snapshot.compact import restore
from jubako.snapshot.unpack import fill

if TYPE_CHECKING:
    from jubako.snapshot.snapshotter import Snapshotter
    from jubako.spec.oci_image import Descriptor, DiffID
    from jubako.store import Store

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def is_sound(store: Store, snapshotter: Snapshotter, diff_id: DiffID, layer: Descriptor, *, repair: bool) -> bool:
    """Compare the layer with its blob; with `repair` a wrong one is replaced. NotFound, DataLoss for the blob's own."""
    with store.blobs.open(layer.digest) as blob, snapshotter.new_layer() as draft:
        prefix = snapshotter.xattr_prefix
        fill(draft, blob, diff_id, layer, prefix)
        if _digest(str(snapshotter.layer_path(diff_id)), prefix) == _digest(str(draft.path), prefix):
            return True
        if repair:
            if store.blobs.is_recipe(layer.digest):
                restore(store, layer.digest)
            snapshotter.discard_layer(diff_id)
            draft.commit(diff_id)
        return False


def _digest(path: str, xattr_prefix: str) -> DiffID | None:
    """Of the tree as a layer; None where it can not be one."""
    fd = -1
    try:
        fd = os.open(path, _OPEN)
        return pack(fd, _Nowhere(), xattr_prefix=xattr_prefix).diff_id
    except (OSError, JubakoError):
        return None
    finally:
        if fd >= 0:
            os.close(fd)


class _Nowhere:
    """Where packed bytes go that only their digest is wanted of."""

    def write(self, data: bytes, /) -> int:
        return len(data)
