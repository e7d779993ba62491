"""Blobs on their way from an archive into the store: in parallel, verified, protected until a record names them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO

import msgspec

from jubako.image.archive.files import Files
from jubako.image.layer.codec import decompressed, detect
from jubako.image.progress import Progress
from jubako.spec.oci_image import LAYER_GZIP, LAYER_TAR, LAYER_ZSTD, Descriptor, DiffID, Digest
from jubako.store import BlobInfo, Lease, Store

OnLayer = Callable[[DiffID, Descriptor], None]
"""Called, perhaps in a thread, when a layer's blob is in the store: unpacking may begin while others are loaded."""

_WORKERS = 3
_PIECE_BYTES = 1 << 20
_MEDIA_TYPES = {"gzip": LAYER_GZIP, "zstd": LAYER_ZSTD}


class LayerFile(msgspec.Struct, frozen=True):
    """A layer in the archive: where, and what is known about it before it is read."""

    name: str
    diff_id: DiffID
    descriptor: Descriptor | None = None


class Importer:
    """Brings the files of one archive into one store. `lease` keeps what came in until the images are recorded."""

    def __init__(
        self, store: Store, files: Files, lease: Lease, progress: Progress, on_layer: OnLayer | None = None
    ) -> None:
        self.store = store
        self.files = files
        self.progress = progress
        self._lease = lease
        self._on_layer = on_layer

    def blob(self, name: str, expected: Descriptor) -> None:
        """Bring in a blob whose descriptor is known. DataLoss if it is not what the descriptor says."""
        self._lease.add(expected.digest)
        if self.store.blobs.exists(expected.digest):
            return
        with self.files.open(name) as stream:
            self._copy(_pieces(stream), expected.digest, expected=expected.digest, size=expected.size)

    def put(self, data: bytes, digest: Digest) -> None:
        """Bring in a document that was already read."""
        self._lease.add(digest)
        with self.store.blobs.writer(expected=digest) as writer:
            writer.write(data)
            writer.commit()

    def layers(self, layers: Sequence[LayerFile], *, announce: bool = True) -> list[Descriptor]:
        """Bring in all layers, several at a time; return their descriptors in the same order.

        `announce` tells on_layer: not for the layers of another platform, which will not be unpacked here.
        """
        from concurrent.futures import ThreadPoolExecutor

        distinct = list({layer.diff_id: layer for layer in layers}.values())
        if len(distinct) == 1:
            done = {distinct[0].diff_id: self._layer(distinct[0], announce)}
        else:
            with ThreadPoolExecutor(_WORKERS, thread_name_prefix="load") as pool:
                found = pool.map(self._layer, distinct, [announce] * len(distinct))
                done = dict(zip((layer.diff_id for layer in distinct), found, strict=True))
        return [done[layer.diff_id] for layer in layers]

    def _layer(self, layer: LayerFile, announce: bool) -> Descriptor:
        if layer.descriptor is not None:
            self.blob(layer.name, layer.descriptor)
            descriptor = layer.descriptor
        else:
            descriptor = self._found_layer(layer)
        self.progress.update(layer.diff_id[7:19], "Loaded", descriptor.size, descriptor.size)
        if self._on_layer and announce:
            self._on_layer(layer.diff_id, descriptor)
        return descriptor

    def _found_layer(self, layer: LayerFile) -> Descriptor:
        """A layer of which only the diff_id is known: kept as it comes, and if it is plain, that is its digest."""
        with self.files.open(layer.name) as stream:
            magic = stream.read(6)
        compression = detect(magic)
        if compression in ("gzip", "zstd"):
            return self._compressed_layer(layer, _MEDIA_TYPES[compression])
        self._lease.add(layer.diff_id)
        if self.store.blobs.exists(layer.diff_id):
            info = self.store.blobs.stat(layer.diff_id)
        else:
            with self.files.open(layer.name) as stream:
                info = self._copy(decompressed(stream), layer.diff_id, expected=layer.diff_id)
        return Descriptor(media_type=LAYER_TAR, digest=info.digest, size=info.size)

    def _compressed_layer(self, layer: LayerFile, media_type: str) -> Descriptor:
        while True:
            with self.files.open(layer.name) as stream:
                info = self._copy(_pieces(stream), layer.diff_id)
            # The digest was not known before: a sweep may have come between the commit and the lease.
            self._lease.add(info.digest)
            if self.store.blobs.exists(info.digest):
                return Descriptor(media_type=media_type, digest=info.digest, size=info.size)

    def _copy(
        self, pieces: Iterable[bytes], label: str, *, expected: str | None = None, size: int | None = None
    ) -> BlobInfo:
        short = label.rpartition(":")[2][:12]
        with self.store.blobs.writer(expected=expected, size=size) as writer:
            for piece in pieces:
                writer.write(piece)
                self.progress.update(short, "Loading layer", writer.tell(), size)
            return writer.commit()


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(_PIECE_BYTES):
        yield piece
