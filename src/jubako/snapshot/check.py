"""Whether an unpacked layer is still what its blob unpacks to.

Model: the blob is unpacked once more, beside it, and both are packed: equal trees give equal digests.
       Fractions of seconds do not count, nor what no layer can hold (sockets), nor how much later than all of the blob
       a time is: a build with SOURCE_DATE_EPOCH cuts times in the blob alone.
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
        if _is_same(str(snapshotter.layer_path(diff_id)), str(draft.path), prefix):
            return True
        if repair:
            if store.blobs.is_recipe(layer.digest):
                restore(store, layer.digest)
            snapshotter.discard_layer(diff_id)
            draft.commit(diff_id)
        return False


def _is_same(tree: str, unpacked: str, xattr_prefix: str) -> bool:
    if _digest(tree, xattr_prefix) == _digest(unpacked, xattr_prefix):
        return True
    newest_s = _newest_s(unpacked)
    return _digest(tree, xattr_prefix, newest_s) == _digest(unpacked, xattr_prefix, newest_s)


def _newest_s(path: str) -> int:
    """The latest time in a tree, but for its root's, which no layer has; in whole seconds."""
    newest_ns = 0
    for directory, names, files in os.walk(path):
        times = (os.lstat(os.path.join(directory, name)).st_mtime_ns for name in (*names, *files))
        newest_ns = max([newest_ns, *times])
    return newest_ns // 1_000_000_000


def _digest(path: str, xattr_prefix: str, newest_s: int | None = None) -> DiffID | None:
    """Of the tree as a layer; None where it can not be one."""
    fd = -1
    try:
        fd = os.open(path, _OPEN)
        return pack(fd, _Nowhere(), xattr_prefix=xattr_prefix, source_date_epoch=newest_s).diff_id
    except (OSError, JubakoError):
        return None
    finally:
        if fd >= 0:
            os.close(fd)


class _Nowhere:
    """Where packed bytes go that only their digest is wanted of."""

    def write(self, data: bytes, /) -> int:
        return len(data)
