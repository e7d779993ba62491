"""Content-addressed blobs on local disk.

Layout:       blobs/<algorithm>/<hex>    ingest/<id>/data
Invariant:    a path under blobs/ always hashes to its name.
Concurrency:  many processes and threads; commit is link(2), the loser sees it exists and is content.
Spec:         OCI image-layout, "Blobs".
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from jubako.errors import DataLoss, InvalidArgument, NotFound
from jubako.spec.oci_image import Digest
from jubako.store import digest as digests
from jubako.store.failure import explained
from jubako.store.ingest import Ingest
from jubako.store.writer import BlobInfo, BlobWriter, LocalBlobWriter, fsync


class BlobStore(Protocol):
    """Where blobs live. All implementations pass tests/unit/store/blob_contract.py."""

    def stat(self, digest: str) -> BlobInfo:
        """Return the size of a blob; NotFound if it is not here."""

    def exists(self, digest: str) -> bool: ...

    def open(self, digest: str, *, offset: int = 0) -> BinaryIO:
        """Return a reader from `offset` bytes into the stored blob; the caller closes it.

        Raises NotFound, or InvalidArgument if `offset` is past the end.
        """

    def read(self, digest: str, *, limit: int = 8 << 20) -> bytes:
        """Return a whole small document; DataLoss if it is longer than `limit` bytes."""

    def writer(self, *, expected: str | None = None, size: int | None = None, sync: bool = True) -> BlobWriter:
        """Begin a blob. `expected` and `size` are checked at commit; `sync=False` leaves durability to `sync()`."""

    def put(self, data: bytes, *, sync: bool = True) -> BlobInfo:
        """Store `data` under its sha256 digest."""

    def sync(self) -> None:
        """Make durable all that was committed with sync=False; before the record that names it."""

    def delete(self, digest: str) -> bool:
        """Remove a blob and say whether it was here."""

    def __iter__(self) -> Iterator[Digest]: ...


class LocalBlobStore:
    """Blobs as files beneath `root`; files are 0600, and `root` itself (0700) keeps other users out."""

    def __init__(self, root: Path, ingest: Ingest) -> None:
        self._blobs = root / "blobs"
        self._ingest = ingest
        self._unsynced: deque[Path] = deque()

    def path(self, digest: str) -> Path:
        """Return where the blob is or would be: for sendfile and the like, never for writing."""
        algorithm, encoded = digests.split(digest)
        return self._blobs / algorithm / encoded

    def stat(self, digest: str) -> BlobInfo:
        try:
            size = os.stat(self.path(digest)).st_size
        except FileNotFoundError:
            raise NotFound("blob", digest) from None
        return BlobInfo(Digest(digest), size)

    def exists(self, digest: str) -> bool:
        return os.path.exists(self.path(digest))

    def open(self, digest: str, *, offset: int = 0) -> BinaryIO:
        try:
            with explained("read blob", self.path(digest)):
                stream = self.path(digest).open("rb")
        except FileNotFoundError:
            raise NotFound("blob", digest) from None
        if offset:
            size = os.fstat(stream.fileno()).st_size
            if not 0 <= offset <= size:
                stream.close()
                raise InvalidArgument(f"offset {offset} is outside blob {digest} of {size} bytes")
            stream.seek(offset)
        return stream

    def read(self, digest: str, *, limit: int = 8 << 20) -> bytes:
        with self.open(digest) as stream:
            data = stream.read(limit + 1)
        if len(data) > limit:
            raise DataLoss(f"blob {digest} is longer than {limit} bytes")
        return data

    def writer(self, *, expected: str | None = None, size: int | None = None, sync: bool = True) -> LocalBlobWriter:
        checked = digests.parse(expected) if expected else None
        unsynced = None if sync else self._unsynced
        return LocalBlobWriter(self._ingest, self.path, expected=checked, size=size, unsynced=unsynced)

    def put(self, data: bytes, *, sync: bool = True) -> BlobInfo:
        digest = digests.of(data)
        if not self.exists(digest):
            with self.writer(expected=digest, size=len(data), sync=sync) as writer:
                writer.write(data)
                writer.commit()
        return BlobInfo(digest, len(data))

    def sync(self) -> None:
        # fsync of each, not syncfs: that would wait for the layers being unpacked beside them too.
        directories: dict[Path, None] = {}
        while self._unsynced:
            path = self._unsynced.popleft()
            try:
                with explained("write to", path):
                    fsync(path)
            except FileNotFoundError:
                continue
            directories[path.parent] = None
        for directory in directories:
            fsync(directory)

    def delete(self, digest: str) -> bool:
        try:
            with explained("delete blob", self.path(digest)):
                os.unlink(self.path(digest))
        except FileNotFoundError:
            return False
        return True

    def __iter__(self) -> Iterator[Digest]:
        for algorithm in ("sha256", "sha512"):
            for encoded in os.listdir(self._blobs / algorithm):
                yield Digest(f"{algorithm}:{encoded}")
