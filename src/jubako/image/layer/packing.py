"""A directory tree becomes a layer: archive, digest, compress and store in one pass.

Determinism: see walker.py and codec.py: the same tree gives the same diff_id and the same blob.
"""

from __future__ import annotations

import hashlib
from typing import Literal, Protocol

import msgspec

from jubako.image.layer.codec import compressor
from jubako.image.layer.tar.writer import Writer
from jubako.image.layer.threads import Behind
from jubako.image.layer.walker import Walker
from jubako.spec.oci_image import LAYER_GZIP, LAYER_TAR, LAYER_ZSTD, Descriptor, DiffID
from jubako.store import BlobStore

Compression = Literal["gzip", "zstd", "none"]
Whiteouts = Literal["overlay", "none"]

_MEDIA_TYPES = {"gzip": LAYER_GZIP, "zstd": LAYER_ZSTD, "none": LAYER_TAR}


class Packed(msgspec.Struct, frozen=True):
    """What a tree became; `size_bytes` is the content of its files."""

    diff_id: DiffID
    size_bytes: int
    entries: int


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> int: ...


def pack(
    root_fd: int,
    out: Sink,
    *,
    source_date_epoch: int | None = None,
    whiteouts: Whiteouts = "overlay",
    xattr_prefix: str = "trusted.",
    prefix: bytes = b"",
    live: bool = False,
) -> Packed:
    """Write what is beneath `root_fd` to `out` as a layer's (uncompressed) tar.

    "overlay" reads the tree as an overlay's upper directory; "none" as a plain tree. Times later than
    `source_date_epoch` become it. Names begin with `prefix`. A `live` tree is one that others may change meanwhile.
    """
    digest = hashlib.sha256()

    def consume(chunk: bytes) -> None:
        digest.update(chunk)
        out.write(chunk)

    with Behind(consume) as behind:
        writer = Writer(behind)
        walker = Walker(
            writer,
            overlay_prefix=xattr_prefix if whiteouts == "overlay" else None,
            newest_s=source_date_epoch,
            live=live,
        )
        walker.tree(root_fd, prefix)
        writer.finish()
    return Packed(DiffID(f"sha256:{digest.hexdigest()}"), walker.size_bytes, walker.entries)


def pack_blob(
    root_fd: int,
    blobs: BlobStore,
    *,
    compression: Compression = "gzip",
    source_date_epoch: int | None = None,
    whiteouts: Whiteouts = "overlay",
    xattr_prefix: str = "trusted.",
    prefix: bytes = b"",
    live: bool = False,
) -> tuple[Descriptor, DiffID]:
    """Pack what is beneath `root_fd` into a blob; return its descriptor and the diff_id. See pack()."""
    with blobs.writer() as blob:
        sink = _CompressedSink(blob, compression)
        packed = pack(
            root_fd,
            sink,
            source_date_epoch=source_date_epoch,
            whiteouts=whiteouts,
            xattr_prefix=xattr_prefix,
            prefix=prefix,
            live=live,
        )
        sink.finish()
        info = blob.commit()
    descriptor = Descriptor(media_type=_MEDIA_TYPES[compression], digest=info.digest, size=info.size)
    return descriptor, packed.diff_id


class _CompressedSink:
    """Compresses on the way to `out`."""

    def __init__(self, out: Sink, compression: Compression) -> None:
        self._out = out
        self._compressor = None if compression == "none" else compressor(compression)

    def write(self, data: bytes) -> int:
        if self._compressor is None:
            return self._out.write(data)
        compressed = self._compressor.compress(data)
        if compressed:
            self._out.write(compressed)
        return len(data)

    def finish(self) -> None:
        if self._compressor is not None:
            self._out.write(self._compressor.flush())
