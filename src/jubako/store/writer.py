"""Writing one blob: hashed while it streams, checked, made durable, then linked under its name."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import msgspec

from jubako.errors import DataLoss, FailedPrecondition
from jubako.spec.oci_image import Digest
from jubako.store import digest as digests
from jubako.store.failure import explained
from jubako.store.ingest import Ingest


class BlobInfo(msgspec.Struct, frozen=True):
    """Which bytes, and how many."""

    digest: Digest
    size: int


class BlobWriter(Protocol):
    """A blob in the making; leaving the context without a commit discards it."""

    def write(self, data: bytes | bytearray | memoryview) -> int: ...
    def tell(self) -> int: ...

    def commit(self, expected: str | None = None, size: int | None = None) -> BlobInfo:
        """Give the blob its name. DataLoss, and no blob, unless its digest and size are the expected ones."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class LocalBlobWriter:
    """Writes to ingest/<id>/data. One thread at a time."""

    def __init__(
        self,
        ingest: Ingest,
        path_of: Callable[[str], Path],
        *,
        expected: Digest | None = None,
        size: int | None = None,
    ) -> None:
        self._path_of = path_of
        self._expected = expected
        self._size = size
        self._written = 0
        self._algorithm = digests.split(expected)[0] if expected else "sha256"
        self._hash = digests.hasher(self._algorithm)
        self._workspace = ingest.allocate()
        self._data = self._workspace.path / "data"
        try:
            self._fd = os.open(self._data, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError:
            self._workspace.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self._workspace.close()

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Append all of `data`."""
        with memoryview(data) as whole, whole.cast("B") as rest:
            length = len(rest)
            self._hash.update(rest)
            done = 0
            with explained("write to", self._data):
                while done < length:
                    done += os.write(self._fd, rest[done:])
        self._written += length
        return length

    def tell(self) -> int:
        """Return how many bytes were written so far."""
        return self._written

    def commit(self, expected: str | None = None, size: int | None = None) -> BlobInfo:
        if self._fd < 0:
            raise FailedPrecondition("the blob writer is closed")
        info = BlobInfo(Digest(f"{self._algorithm}:{self._hash.hexdigest()}"), self._written)
        _check(info, expected or self._expected, self._size if size is None else size)
        with explained("write to", self._data):
            self._link(self._path_of(info.digest))
        self.__exit__(None, None, None)
        return info

    def _link(self, path: Path) -> None:
        os.fsync(self._fd)
        with suppress(FileExistsError):
            os.link(self._data, path)
        # Also where somebody else was first: he may not have come to this yet.
        fsync(path.parent)


def fsync(path: Path) -> None:
    """Make a file's content, or a directory's names, durable."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _check(info: BlobInfo, expected: str | None, size: int | None) -> None:
    if size is not None and info.size != size:
        raise DataLoss(f"blob {expected or info.digest} has {info.size} bytes instead of {size}")
    if expected is not None and info.digest != expected:
        raise DataLoss(f"blob does not match its digest: {expected} was expected, {info.digest} arrived")
