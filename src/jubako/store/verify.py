"""Whether stored bytes are still what their name says: disks rot, and people edit what they should not."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from jubako.errors import DataLoss, NotFound
from jubako.spec.oci_image import Digest
from jubako.store import digest as digests
from jubako.store.blobs import BlobStore

_PIECE_BYTES = 1 << 20


def is_sound(blobs: BlobStore, digest: Digest) -> bool:
    """Whether the blob hashes to its name; one that was deleted meanwhile is sound. An unreadable one is not."""
    hasher = digests.hasher(digests.split(digest)[0])
    try:
        with blobs.open(digest) as stream:
            while piece := stream.read(_PIECE_BYTES):
                hasher.update(piece)
    except NotFound:
        return True
    except (OSError, DataLoss):
        return False
    return digest.endswith(":" + hasher.hexdigest())


def damaged(blobs: BlobStore, chosen: Iterable[Digest]) -> Iterator[Digest]:
    """Those of `chosen` that are not sound, hashed on every processor."""
    listed = list(chosen)
    with ThreadPoolExecutor(os.cpu_count(), "verify") as pool:
        for digest, sound in zip(listed, pool.map(partial(is_sound, blobs), listed), strict=True):
            if not sound:
                yield digest
