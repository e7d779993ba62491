"""A registry's state directory.

Layout:       ROOT is a store (jubako.store): blobs of all repositories in one place, so equal bytes are kept once;
              records say which repository may serve which digest. uploads/<id> holds unfinished uploads (uploads.py).
Invariants:   a record is written only after the bytes it names are durable, and what was answered is durable itself;
              a file under blobs/ is removed only in a transaction that saw no record of it (collect.py), so whoever
              writes such a record looks in the same transaction whether the file is still there.
Concurrency:  many processes and threads. Readers have a connection of their own and never wait for a writer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from jubako.registry.server.documents import BlobLink, ManifestEntry, Repository, Tag, UploadSession
from jubako.spec.oci_image import Descriptor, Digest
from jubako.store import Collection, Records, Store

T = TypeVar("T")
UPLOADS = "uploads"


class Collections:
    """The collections over one connection."""

    def __init__(self, records: Records) -> None:
        self.repositories = records.collection("repository", Repository)
        self.blobs = records.collection("blob", BlobLink)
        self.manifests = records.collection("manifest", ManifestEntry)
        self.tags = records.collection("tag", Tag)
        self.referrers = records.collection("referrer", Descriptor)
        self.uploads = records.collection("upload", UploadSession)


class State:
    """The open state of one registry. `read` never blocks on `write`."""

    def __init__(self, root: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.store = Store.open(root)
        self._reader = Store.open(root)
        self.read = Collections(self._reader.records)
        self.write = Collections(self.store.records)
        self.clock = clock
        self.uploads_path = root / UPLOADS
        self.uploads_path.mkdir(mode=0o700, exist_ok=True)

    def close(self) -> None:
        self._reader.close()
        self.store.close()

    def publish(self, digest: Digest, place: Callable[[], object], record: Callable[[], None]) -> None:
        """Have `place` put durable bytes under blobs/, then `record` them while they are surely there."""
        while True:
            place()
            with self.store.records.transaction():
                if self.store.blobs.exists(digest):
                    record()
                    break
        self.make_durable()

    def add_repository(self, name: str) -> None:
        if self.write.repositories.find(name) is None:
            self.write.repositories.insert(name, Repository(self.clock()))

    def make_durable(self) -> None:
        """Return when all committed records would survive a loss of power.

        The store commits with synchronous=NORMAL, which leaves the write-ahead log to the kernel: an fsync of it is
        what synchronous=FULL adds. sqlite.org/wal.html, "Performance Considerations".
        """
        fd = os.open(self.store.root / "jubako.db-wal", os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def put(collection: Collection[T], key: str, value: T) -> None:
    """Insert or replace, within a transaction."""
    if collection.find(key) is None:
        collection.insert(key, value)
    else:
        collection.replace(key, value)
