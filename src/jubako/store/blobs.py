"""Content-addressed blobs on local disk.

Layout:       blobs/<algorithm>/<hex>    ingest/<id>/data
Invariant:    a path under blobs/ always hashes to its name.
Compact:      a blob may be here as a recipe only (store.recipes): it is made again, and checked, while it is read.
Concurrency:  many processes and threads; commit is link(2), the loser sees it exists and is content.
Spec:         OCI image-layout, "Blobs".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from jubako.errors import DataLoss, FailedPrecondition, InvalidArgument, NotFound
from jubako.spec.oci_image import DiffID, Digest
from jubako.store import digest as digests
from jubako.store.failure import explained
from jubako.store.ingest import Ingest
from jubako.store.recipes import Recipe, Recipes
from jubako.store.writer import BlobInfo, BlobWriter, LocalBlobWriter


class BlobStore(Protocol):
    """Where blobs live. All implementations pass tests/unit/store/blob_contract.py."""

    def stat(self, digest: str) -> BlobInfo:
        """Return the size of a blob; NotFound if it is not here."""

    def exists(self, digest: str) -> bool: ...

    def open(self, digest: str, *, offset: int = 0) -> BinaryIO:
        """Return a reader from `offset` bytes into the stored blob; the caller closes it. It need not have a fileno.

        Raises NotFound, or InvalidArgument if `offset` is past the end.
        """

    def read(self, digest: str, *, limit: int = 8 << 20) -> bytes:
        """Return a whole small document; DataLoss if it is longer than `limit` bytes."""

    def writer(self, *, expected: str | None = None, size: int | None = None) -> BlobWriter:
        """Begin a blob. `expected` and `size` are checked at commit, which makes it durable."""

    def put(self, data: bytes) -> BlobInfo:
        """Store `data` under its sha256 digest."""

    def delete(self, digest: str) -> bool:
        """Remove a blob and say whether it was here."""

    def __iter__(self) -> Iterator[Digest]: ...


Cook = Callable[[Digest, Recipe, BinaryIO], BinaryIO]
"""Makes the blob of a recipe, whose body it is given: a reader that raises DataLoss where it is not the blob."""


class LocalBlobStore:
    """Blobs as files beneath `root`; files are 0600, and `root` itself (0700) keeps other users out.

    `cook` is set by whoever knows the unpacked layers that recipes are about.
    """

    def __init__(self, root: Path, ingest: Ingest) -> None:
        self._blobs = root / "blobs"
        self._ingest = ingest
        self.recipes = Recipes(root)
        self.cook: Cook | None = None

    def path(self, digest: str) -> Path:
        """Return where the blob is or would be, unless it is a recipe."""
        algorithm, encoded = digests.split(digest)
        return self._blobs / algorithm / encoded

    def stat(self, digest: str) -> BlobInfo:
        try:
            size = os.stat(self.path(digest)).st_size
        except FileNotFoundError:
            recipe = self.recipes.find(digest)
            if recipe is None:
                raise NotFound("blob", digest) from None
            size = recipe.size
        return BlobInfo(Digest(digest), size)

    def exists(self, digest: str) -> bool:
        return os.path.exists(self.path(digest)) or self.recipes.find(digest) is not None

    def usage(self, digest: str) -> int:
        """Return the bytes on disk that the blob takes, in whatever form; 0 where it is not here."""
        try:
            size = os.stat(self.path(digest)).st_size
        except FileNotFoundError:
            size = 0
        return size + self.recipes.usage(digest)

    def needed_layers(self) -> set[DiffID]:
        """The unpacked layers without which blobs were lost."""
        recipes = (self.recipes.find(digest) for digest in self.recipes if not os.path.exists(self.path(digest)))
        return {recipe.layer for recipe in recipes if recipe}

    def open(self, digest: str, *, offset: int = 0) -> BinaryIO:
        try:
            with explained("read blob", self.path(digest)):
                stream: BinaryIO = self.path(digest).open("rb")
        except FileNotFoundError:
            stream = self._made(Digest(digest))
        if offset:
            size = self.stat(digest).size
            if not 0 <= offset <= size:
                stream.close()
                raise InvalidArgument(f"offset {offset} is outside blob {digest} of {size} bytes")
            _advance(stream, offset)
        return stream

    def _made(self, digest: Digest) -> BinaryIO:
        """A reader of what a recipe makes; NotFound where there is none."""
        if self.recipes.find(digest) is None:
            raise NotFound("blob", digest)
        if self.cook is None:
            raise FailedPrecondition(f"blob {digest} is made from its unpacked layer, which only an engine can read")
        return self.cook(digest, *self.recipes.open(digest))

    def read(self, digest: str, *, limit: int = 8 << 20) -> bytes:
        with self.open(digest) as stream:
            data = stream.read(limit + 1)
        if len(data) > limit:
            raise DataLoss(f"blob {digest} is longer than {limit} bytes")
        return data

    def writer(self, *, expected: str | None = None, size: int | None = None) -> LocalBlobWriter:
        return LocalBlobWriter(
            self._ingest, self.path, expected=digests.parse(expected) if expected else None, size=size
        )

    def put(self, data: bytes) -> BlobInfo:
        digest = digests.of(data)
        if not self.exists(digest):
            with self.writer(expected=digest, size=len(data)) as writer:
                writer.write(data)
                writer.commit()
        return BlobInfo(digest, len(data))

    def delete(self, digest: str) -> bool:
        try:
            with explained("delete blob", self.path(digest)):
                os.unlink(self.path(digest))
        except FileNotFoundError:
            return self.recipes.delete(digest)
        self.recipes.delete(digest)
        return True

    def drop(self, digest: str) -> None:
        """Leave a blob to its recipe, which is durable and gave it a moment ago."""
        with suppress(FileNotFoundError), explained("delete blob", self.path(digest)):
            os.unlink(self.path(digest))

    def is_recipe(self, digest: str) -> bool:
        """Whether the blob is here, but only as a recipe."""
        return not os.path.exists(self.path(digest)) and self.recipes.find(digest) is not None

    def __iter__(self) -> Iterator[Digest]:
        for algorithm in ("sha256", "sha512"):
            for encoded in os.listdir(self._blobs / algorithm):
                yield Digest(f"{algorithm}:{encoded}")
        for digest in self.recipes:
            if not os.path.exists(self.path(digest)):
                yield digest


def _advance(stream: BinaryIO, offset: int) -> None:
    if stream.seekable():
        stream.seek(offset)
        return
    while offset and (data := stream.read(min(offset, 1 << 20))):
        offset -= len(data)
