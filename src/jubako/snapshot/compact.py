"""One copy of bytes: the compressed blob of an unpacked layer becomes a recipe, where that gives it bit for bit.

Order:        the recipe is written beside; the blob is made from it and compared; the layer, from then on the only
              copy, is synced, then the recipe; the blob goes last. Killed anywhere, blob or recipe is there.
Concurrency:  the caller's lease protects blob and layer meanwhile; two processes at once do the same thing twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from jubako.errors import DataLoss, JubakoError
from jubako.image.layer.codec import decompressed
from jubako.image.layer.recompress import GUESS_BYTES, guesses, version
from jubako.image.layer.splitting import split
from jubako.linux.sync import sync_filesystem
from jubako.snapshot.rebuild import rebuilt, written
from jubako.store import Recipe
from jubako.store.failure import explained
from jubako.store.recipes import line

if TYPE_CHECKING:
    from jubako.snapshot.snapshotter import Snapshotter
    from jubako.spec.oci_image import DiffID, Digest
    from jubako.store import Store

_PIECE_BYTES = 1 << 20
_WORTH = 2
"""A recipe must be smaller than the blob by this factor."""


class Compacted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one blob: `freed_bytes`, or `kept`, why it stayed."""

    digest: Digest
    size_bytes: int
    freed_bytes: int = 0
    kept: str = ""


def compact(store: Store, snapshotter: Snapshotter, digest: Digest, diff_id: DiffID, *, dry_run: bool) -> Compacted:
    """Leave the blob of the unpacked layer `diff_id` to a recipe, if that gives it again. NotFound for the blob."""
    size = store.blobs.stat(digest).size
    layer = snapshotter.layer_path(diff_id)
    with store.ingest.workspace() as workspace:
        body, path = workspace.path / "body", workspace.path / "recipe"
        try:
            _split(store, digest, layer, body)
            if body.stat().st_size * _WORTH > size:
                return Compacted(digest=digest, size_bytes=size, kept="its recipe would take as much")
            recipe = _proven(store, digest, diff_id, layer, body)
        except DataLoss as error:
            return Compacted(digest=digest, size_bytes=size, kept=error.message)
        if recipe is None:
            return Compacted(digest=digest, size_bytes=size, kept="made by another compressor")
        _join(recipe, body, path)
        freed_bytes = size - path.stat().st_size
        if not dry_run:
            sync_filesystem(layer)
            store.blobs.recipes.commit(path, digest)
            store.blobs.drop(digest)
        return Compacted(digest=digest, size_bytes=size, freed_bytes=freed_bytes)


def restore(store: Store, digest: Digest) -> int:
    """Make a blob out of its recipe, which stays; return its bytes. NotFound, DataLoss."""
    with store.blobs.open(digest) as source, store.blobs.writer(expected=digest) as target:
        while data := source.read(_PIECE_BYTES):
            target.write(data)
        return target.commit().size


def _split(store: Store, digest: Digest, layer: Path, body: Path) -> None:
    root = os.open(layer, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with explained("write to", body), store.blobs.open(digest) as blob, body.open("xb") as out:
            for data in written(split(decompressed(blob), root)):
                out.write(data)
    finally:
        os.close(root)


def _join(recipe: Recipe, body: Path, path: Path) -> None:
    with explained("write to", path), body.open("rb") as source, path.open("xb") as out:
        out.write(line(recipe))
        while data := source.read(_PIECE_BYTES):
            out.write(data)


def _proven(store: Store, digest: Digest, diff_id: DiffID, layer: Path, body: Path) -> Recipe | None:
    """The recipe that gives the blob, of all that might."""
    size = store.blobs.stat(digest).size
    for method, header in _guesses(store, digest):
        recipe = Recipe(layer=diff_id, size=size, method=method, header=header, maker=version(method))
        if _gives(store, digest, recipe, layer, body):
            return recipe
    return None


def _guesses(store: Store, digest: Digest) -> Iterator[tuple[str, bytes]]:
    with store.blobs.open(digest) as blob:
        plain, chunks = bytearray(), decompressed(blob)
        for chunk in chunks:
            plain += chunk
            if len(plain) >= GUESS_BYTES:
                break
        whole = next(chunks, None) is None
    with store.blobs.open(digest) as blob:
        beginning = blob.read(2 * GUESS_BYTES)
    yield from guesses(beginning, bytes(plain), whole=whole and len(beginning) < 2 * GUESS_BYTES)


def _gives(store: Store, digest: Digest, recipe: Recipe, layer: Path, body: Path) -> bool:
    """Whether the recipe makes the blob: every byte is compared, and its digest in the end."""
    try:
        with store.blobs.open(digest) as blob, rebuilt(digest, recipe, body.open("rb"), layer) as made:
            while data := made.read(_PIECE_BYTES):
                if blob.read(len(data)) != data:
                    return False
            return not blob.read(1)
    except JubakoError:
        return False
