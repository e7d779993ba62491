"""Local archives of ADD: recognised by content, whatever they are called, and extracted like a layer's tar."""

from __future__ import annotations

import os
import stat
from typing import BinaryIO

from jubako.build.files.selection import Selected
from jubako.errors import DataLoss, InvalidArgument, ResourceExhausted
from jubako.image.layer import codec
from jubako.image.layer.copy import extract_into
from jubako.image.layer.tar import Reader
from jubako.linux.openat2 import mkdirs_in_root


def is_archive(item: Selected) -> bool:
    """Whether the file is a tar archive, plain or compressed: its first header can be read."""
    if not stat.S_ISREG(item.entry.status.st_mode):
        return False
    return holds_archive(os.fdopen(item.tree.open(item.entry.path), "rb"))


def holds_archive(stream: BinaryIO) -> bool:
    """Whether `stream`, which is closed, is a tar archive in one of the compressions."""
    with stream:
        try:
            return Reader(codec.decompressed(stream)).next() is not None
        except (DataLoss, InvalidArgument, ResourceExhausted):
            return False


def unpack_archive(root_fd: int, item: Selected, destination: str, owner: tuple[int, int] | None) -> None:
    """Extract the archive beneath `destination`, made for `owner` if it is missing; the content keeps its own."""
    os.close(mkdirs_in_root(root_fd, destination, 0o755, owner=owner or (0, 0)))
    with os.fdopen(item.tree.open(item.entry.path), "rb") as stream:
        extract_into(root_fd, destination, stream, keep_kinds=False)
