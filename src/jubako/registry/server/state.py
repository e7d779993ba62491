"""A registry's state directory.

Layout:       ROOT is a store (jubako.store): its records say which repository may serve which digest; the bytes are
              with the storage driver, which on local disk is the same store. uploads/<id> holds unfinished uploads.
Invariants:   a record is written only after the bytes it names are durable, and what was answered is durable itself;
              no record names a digest that is condemned, and only what is condemned is deleted, in a transaction
              (collect.py). So whoever writes a record first takes the digest back, and places the bytes again if it
              was condemned, since they may be gone.
Concurrency:  many processes and threads. Readers have a connection of their own and never wait for a writer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from jubako.registry.server.config.schema import ON_DISK, Storage
from jubako.registry.server.documents import (
    BlobLink,
    Condemned,
    Delivery,
    ManifestEntry,
    Repository,
    Tag,
    UploadSession,
)
from jubako.registry.server.outbox import Outbox
from jubako.registry.server.rules import Rules
from jubako.registry.server.storage import open_driver
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
        self.condemned = records.collection("condemned", Condemned)
        self.deliveries = records.collection("delivery", Delivery)


class State:
    """The open state of one registry. `read` never blocks on `write`."""

    def __init__(self, root: Path, storage: Storage = ON_DISK, *, clock: Callable[[], float] = time.time) -> None:
        self.store = Store.open(root)
        self._reader = Store.open(root)
        self.read = Collections(self._reader.records)
        self.write = Collections(self.store.records)
        self.storage = open_driver(storage, self.store)
        self.rules = Rules()
        self.outbox = Outbox()
        self.clock = clock
        self.uploads_path = root / UPLOADS
        self.uploads_path.mkdir(mode=0o700, exist_ok=True)

    def close(self) -> None:
        self._reader.close()
        self.store.close()

    def publish(self, digest: Digest, place: Callable[[], object], record: Callable[[], None]) -> None:
        """Have `place` bring durable bytes to the storage, then `record` them while they are surely there."""
        while True:
            place()
            with self.store.records.transaction():
                if not self.write.condemned.delete(digest):
                    record()
                    break
        self.make_durable()

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
