"""Blobs as files of the registry's directory; see jubako.store.blobs for their layout and invariants."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from jubako.registry.server.storage.driver import Stored
from jubako.spec.oci_image import Digest
from jubako.store import Store
from jubako.store.failure import explained
from jubako.store.writer import fsync

_PIECE_BYTES = 1 << 20
_BLOCK_BYTES = 512


class Disk:
    def __init__(self, store: Store) -> None:
        self._blobs = store.blobs

    def exists(self, digest: str) -> bool:
        return self._blobs.exists(digest)

    def size(self, digest: str) -> int:
        return self._blobs.stat(digest).size

    def read(self, digest: str, *, limit: int) -> bytes:
        return self._blobs.read(digest, limit=limit)

    def pieces(self, digest: str, start: int, end: int) -> Iterator[bytes]:
        with self._blobs.open(digest, offset=start) as stream:
            while start < end and (data := stream.read(min(_PIECE_BYTES, end - start))):
                start += len(data)
                yield data

    def path(self, digest: str) -> Path:
        return self._blobs.path(digest)

    def place(self, source: Path, digest: Digest) -> None:
        """Link the file to its name. Where somebody else was first, theirs is made as durable."""
        target = self._blobs.path(digest)
        with explained("write to", target):
            fsync(source)
            try:
                os.link(source, target)
            except FileExistsError:
                fsync(target)
            fsync(target.parent)

    def put(self, data: bytes, digest: Digest) -> None:
        with self._blobs.writer(expected=digest, size=len(data)) as writer:
            writer.write(data)
            writer.commit()

    def delete(self, digest: Digest) -> int | None:
        try:
            freed_bytes = os.stat(self._blobs.path(digest)).st_blocks * _BLOCK_BYTES
        except FileNotFoundError:
            return None
        return freed_bytes if self._blobs.delete(digest) else None

    def stored(self) -> Iterator[Stored]:
        for digest in self._blobs:
            try:
                status = os.stat(self._blobs.path(digest))
            except FileNotFoundError:
                continue
            yield Stored(digest, status.st_size, status.st_ctime)
