"""How the layers of an export are compressed: as they are, or made again in the wanted form.

What the build made stays as it is stored unless the output asks for another compression; layers of the base image only
with `force-compression`, as BuildKit does it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jubako.build.graph.filesystem import Layer
from jubako.errors import InvalidArgument
from jubako.image.layer.codec import LEVELS, compressor, decompressed
from jubako.spec.oci_image import (
    DOCKER_LAYER_GZIP,
    DOCKER_LAYER_TAR,
    LAYER_GZIP,
    LAYER_TAR,
    LAYER_ZSTD,
    Descriptor,
)
from jubako.store import Lease, Store

_TYPES = {"gzip": LAYER_GZIP, "zstd": LAYER_ZSTD, "uncompressed": LAYER_TAR}
# A base image of Docker's schema brings its names for the same bytes; an OCI manifest has its own.
_OCI_LAYER = {DOCKER_LAYER_GZIP: LAYER_GZIP, DOCKER_LAYER_TAR: LAYER_TAR}


class Packing(msgspec.Struct, frozen=True):
    """`compression` is gzip, zstd, uncompressed, or "" for as it is."""

    compression: str = ""
    level: int | None = None
    force: bool = False

    @classmethod
    def of(cls, compression: str, level: int | None, *, force: bool) -> Packing:
        """Raises InvalidArgument for what can not be done."""
        if compression == "estargz":
            raise InvalidArgument("compression estargz is not supported", hint="gzip, zstd and uncompressed are")
        if compression and compression not in _TYPES:
            raise InvalidArgument(f"unsupported layer compression type: {compression}", hint=", ".join(_TYPES))
        limits = LEVELS.get(compression or "gzip")
        if level is not None and (limits is None or not limits[0] <= level <= limits[1]):
            span = f"{limits[0]} to {limits[1]}" if limits else "none"
            raise InvalidArgument(f"invalid compression level {level} for {compression or 'gzip'}: it is {span}")
        return cls(compression, level, force)


def packed(store: Store, lease: Lease, layers: Sequence[Layer], base: int, packing: Packing) -> list[Descriptor]:
    """The blobs of `layers` as `packing` wants them; the first `base` are the base image's."""
    found = []
    for number, layer in enumerate(layers):
        blob = _oci(layer.blob)
        if _differs(blob, packing) and (packing.force or number >= base):
            blob = _repacked(store, lease, blob, packing)
        else:
            lease.add(blob.digest)
        found.append(blob)
    return found


def _differs(blob: Descriptor, packing: Packing) -> bool:
    wanted = packing.compression or ("gzip" if packing.level is not None else "")
    return bool(wanted) and (blob.media_type != _TYPES[wanted] or packing.level is not None)


def _repacked(store: Store, lease: Lease, blob: Descriptor, packing: Packing) -> Descriptor:
    while True:
        made = _compressed(store, blob, packing)
        lease.add(made.digest)
        # A prune between the blob's commit and the lease may have taken it.
        if store.blobs.exists(made.digest):
            return made


def _compressed(store: Store, blob: Descriptor, packing: Packing) -> Descriptor:
    kind = packing.compression or "gzip"
    with store.blobs.open(blob.digest) as source, store.blobs.writer() as target:
        made = None if kind == "uncompressed" else compressor(kind, packing.level)
        for chunk in decompressed(source):
            target.write(made.compress(chunk) if made else chunk)
        if made:
            target.write(made.flush())
        info = target.commit()
    return Descriptor(media_type=_TYPES[kind], digest=info.digest, size=info.size)


def _oci(layer: Descriptor) -> Descriptor:
    media_type = _OCI_LAYER.get(layer.media_type, layer.media_type)
    return Descriptor(media_type=media_type, digest=layer.digest, size=layer.size)
