"""Where caches lie that a build imports: a registry, a directory with an OCI layout, an image of this machine.

Safety:  names in a layout are digests, checked before a path is made of them; a blob is hashed while it is copied.
"""

from __future__ import annotations

import stat
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event
from typing import Protocol

from jubako.build.files.failure import explained
from jubako.build.remotecache.spec import CacheFrom
from jubako.errors import DataLoss, InvalidArgument, NotFound
from jubako.image import manifest as documents
from jubako.image import reference
from jubako.image.catalog import Image, Images
from jubako.image.layout import REF_NAME, blob_path
from jubako.spec.oci_image import Descriptor, Index, Manifest
from jubako.store import Store
from jubako.store import digest as digests

INDEX_FILE = "index.json"
_PIECE_BYTES = 1 << 20


class Place(Protocol):
    """One cache to read. Any thread may call."""

    def document(self, child: Descriptor | None = None) -> Manifest | Index:
        """The cache's own document, or one that it leads to. Raises NotFound, and what makes it unusable."""

    def bring(self, store: Store, blob: Descriptor, cancel: Event) -> None:
        """Have a blob in the store; raises what keeps it away, and something else when `cancel` is set meanwhile."""


def opened(stack: ExitStack, images: Images, wanted: CacheFrom) -> Place:
    """The place of a cache, closed with `stack`. An image of this machine that says how it was built comes first."""
    if wanted.type == "local":
        return Layout(Path(wanted.place), wanted.tag, wanted.digest)
    with suppress(NotFound):
        image = images.resolve(wanted.place)
        if image.config.cache:
            return Kept(image)
    from jubako.registry.client.content import Content

    return Content(stack, reference.parse(wanted.place))


class Kept:
    """An image of this machine."""

    def __init__(self, image: Image) -> None:
        self._image = image

    def document(self, child: Descriptor | None = None) -> Manifest | Index:
        return self._image.manifest

    def bring(self, store: Store, blob: Descriptor, cancel: Event) -> None:
        store.blobs.stat(blob.digest)


class Layout:
    """A directory that a local export wrote."""

    def __init__(self, root: Path, tag: str, digest: str) -> None:
        self._root = root
        self._tag = tag
        self._digest = digest

    def document(self, child: Descriptor | None = None) -> Manifest | Index:
        target = child or self._target()
        data = self._read(self._path(target), documents.DOCUMENT_LIMIT_BYTES)
        if digests.of(data) != target.digest:
            raise DataLoss(f"{self._path(target)} does not match its digest")
        return documents.decode(data, target.media_type)

    def bring(self, store: Store, blob: Descriptor, cancel: Event) -> None:
        if store.blobs.exists(blob.digest):
            return
        path = self._path(blob)
        with (
            explained("read"),
            self._regular(path).open("rb") as stream,
            store.blobs.writer(expected=blob.digest, size=blob.size) as writer,
        ):
            while piece := stream.read(_PIECE_BYTES):
                writer.write(piece)
            writer.commit()

    def _target(self) -> Descriptor:
        index = documents.decode(self._read(self._root / INDEX_FILE, documents.DOCUMENT_LIMIT_BYTES))
        if not isinstance(index, Index):
            raise InvalidArgument(f"{self._root / INDEX_FILE} is no index")
        for entry in index.manifests:
            if self._digest and entry.digest == self._digest:
                return entry
            if not self._digest and (entry.annotations or {}).get(REF_NAME) == self._tag:
                return entry
        wanted = self._digest or self._tag
        raise NotFound("cache", wanted, message=f"the directory {self._root} has no cache {wanted}")

    def _path(self, blob: Descriptor) -> Path:
        return blob_path(self._root, blob.digest)

    def _read(self, path: Path, limit: int) -> bytes:
        with explained("read"), self._regular(path).open("rb") as stream:
            data = stream.read(limit + 1)
        if len(data) > limit:
            raise InvalidArgument(f"{path} is larger than {limit >> 20} MB")
        return data

    def _regular(self, path: Path) -> Path:
        """The path, if a file is there: a pipe would keep a reader waiting for ever."""
        with suppress(FileNotFoundError, NotADirectoryError):
            if stat.S_ISREG(path.stat().st_mode):
                return path
        raise NotFound("file", str(path), message=f"{path} is not there, or no file")
