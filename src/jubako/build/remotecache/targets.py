"""Where a cache is exported to: a registry, or a directory with an OCI layout.

Layout:       DEST/{oci-layout, index.json, blobs/<algorithm>/<hex>}; index.json has one entry a tag, and keeps others
Order:        blobs, then the document, then the name, each in one step: killed at any moment, what was there stands.
Concurrency:  a lock on DEST/index.json.lock while the index changes (the name that buildx uses too).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from jubako.build.exporters.destination import replaced
from jubako.build.files.failure import explained
from jubako.build.remotecache.places import INDEX_FILE
from jubako.build.remotecache.spec import CacheTo
from jubako.errors import InvalidArgument
from jubako.image import manifest as documents
from jubako.image import reference
from jubako.image.layout import LAYOUT, REF_NAME, blob_path
from jubako.linux import locks
from jubako.spec.oci_image import INDEX, Descriptor, Index
from jubako.store import Store

_PIECE_BYTES = 1 << 20


class Target(Protocol):
    """One place to write a cache to."""

    def has(self, blob: Descriptor) -> bool:
        """Whether the blob is there already."""

    def send(self, store: Store, blobs: Sequence[Descriptor]) -> None:
        """Bring blobs of the store there."""

    def name(self, document: Descriptor, data: bytes) -> None:
        """Write the document that names them all, and give it its name."""


def opened(stack: ExitStack, wanted: CacheTo) -> Target:
    """The target of an export, closed with `stack`."""
    if wanted.type == "local":
        return Directory(Path(wanted.place), wanted.tag)
    from jubako.registry.client.content import Upload

    return Upload(stack, reference.parse(wanted.place))


class Directory:
    def __init__(self, root: Path, tag: str) -> None:
        self._root = root
        self._tag = tag

    def has(self, blob: Descriptor) -> bool:
        try:
            return self._path(blob).stat().st_size == blob.size
        except OSError:
            return False

    def send(self, store: Store, blobs: Sequence[Descriptor]) -> None:
        for blob in blobs:
            if not self.has(blob):
                with self._written(self._path(blob)) as out, store.blobs.open(blob.digest) as source:
                    while piece := source.read(_PIECE_BYTES):
                        out.write(piece)

    def name(self, document: Descriptor, data: bytes) -> None:
        with self._written(self._path(document)) as out:
            out.write(data)
        with self._written(self._root / "oci-layout") as out:
            out.write(LAYOUT)
        with self._locked():
            entries = [entry for entry in self._entries() if (entry.annotations or {}).get(REF_NAME) != self._tag]
            named = msgspec.structs.replace(document, annotations={REF_NAME: self._tag})
            with self._written(self._root / INDEX_FILE) as out:
                out.write(msgspec.json.encode(Index(media_type=INDEX, manifests=[*entries, named])))

    def _entries(self) -> list[Descriptor]:
        """The present index; an unreadable one counts as none, since nothing in it can be used."""
        try:
            index = documents.decode((self._root / INDEX_FILE).read_bytes())
        except (FileNotFoundError, InvalidArgument):
            return []
        return index.manifests if isinstance(index, Index) else []

    def _path(self, blob: Descriptor) -> Path:
        return blob_path(self._root, blob.digest)

    @contextmanager
    def _written(self, path: Path) -> Iterator[BinaryIO]:
        with explained("write"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with replaced(path) as out:
                yield out
                out.flush()
                os.fsync(out.fileno())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with explained("write"), (self._root / f"{INDEX_FILE}.lock").open("wb") as lock:
            locks.wait(lock.fileno())
            yield
