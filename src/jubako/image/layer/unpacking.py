"""A layer becomes a directory tree: decompress, digest and extract in one pass."""

from __future__ import annotations

from contextlib import closing
from typing import BinaryIO, Literal

import msgspec

from jubako.errors import InvalidArgument
from jubako.image.layer.attributes import Attributes
from jubako.image.layer.codec import decompressed
from jubako.image.layer.extractor import CopyExtractor
from jubako.image.layer.limits import DEFAULT, Limits
from jubako.image.layer.tar.reader import Reader
from jubako.image.layer.threads import Ahead
from jubako.image.layer.tree import Tree
from jubako.image.layer.whiteouts import ApplyingExtractor, OverlayExtractor
from jubako.spec.oci_image import DiffID


class Unpacked(msgspec.Struct, frozen=True):
    """What a layer turned out to be; `size_bytes` is the content of its files."""

    diff_id: DiffID
    size_bytes: int
    entries: int


def unpack(
    stream: BinaryIO,
    root_fd: int,
    *,
    media_type: str = "",
    limits: Limits = DEFAULT,
    whiteouts: Literal["overlay", "apply"] = "overlay",
    xattr_prefix: str = "trusted.",
    algorithm: str = "sha256",
) -> Unpacked:
    """Extract the layer in `stream` (compressed or not) beneath `root_fd`; the caller compares the diff_id.

    "overlay" expects an empty directory and keeps whiteouts for overlayfs; "apply" lays the layer over what is there.
    When this raises, the tree is half made and the caller discards it. InvalidArgument for what leads out of the root,
    DataLoss for corrupt or truncated data, ResourceExhausted for a full disk and over the limits.
    """
    if media_type and "tar" not in media_type:
        raise InvalidArgument(f"{media_type} is not a layer that can be unpacked")
    with (
        Ahead(decompressed(stream, limits=limits), algorithm) as chunks,
        closing(Tree(root_fd, implied_limit=limits.entries)) as tree,
    ):
        reader = Reader(chunks, entries_limit=limits.entries)
        attributes = Attributes(root_fd, fresh=whiteouts == "overlay")
        extractor = (
            OverlayExtractor(reader, tree, attributes, xattr_prefix)
            if whiteouts == "overlay"
            else ApplyingExtractor(reader, tree, attributes)
        )
        extractor.run()
        reader.drain()
        return Unpacked(DiffID(chunks.digest()), extractor.size_bytes, extractor.entries)


def extract_into(
    root_fd: int,
    stream: BinaryIO,
    *,
    limits: Limits = DEFAULT,
    owner: tuple[int, int] | None = None,
    keep_kinds: bool = False,
    tree: Tree | None = None,
) -> int:
    """Extract any tar archive (compressed or not) over what is beneath `root_fd`; return how many entries it had.

    No name is special. `owner` replaces the owners in the archive. With `keep_kinds` a directory is never replaced by
    something else, nor something else by a directory: InvalidArgument. What was extracted before an error stays.
    """
    with (
        Ahead(decompressed(stream, limits=limits)) as chunks,
        closing(tree or Tree(root_fd, implied_limit=limits.entries)) as inner,
    ):
        reader = Reader(chunks, entries_limit=limits.entries)
        extractor = CopyExtractor(reader, inner, Attributes(root_fd, fresh=False), owner=owner, keep_kinds=keep_kinds)
        extractor.run()
        reader.drain()
        return extractor.entries
