"""The seam of storage: bytes by digest. Which repository may serve them is in the records, not here.

All implementations pass tests/integration/registry/test_storage.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from jubako.spec.oci_image import Digest


class Stored(NamedTuple):
    """A blob as the storage lists it; `placed` is in seconds since the epoch, by the storage's own clock."""

    digest: Digest
    size: int
    placed: float


class Driver(Protocol):
    """Blobs of all repositories, each once. Threads and processes share it; all calls may wait."""

    def exists(self, digest: str) -> bool: ...

    def size(self, digest: str) -> int:
        """Return how many bytes a blob has; NotFound."""

    def read(self, digest: str, *, limit: int) -> bytes:
        """Return a whole small blob; NotFound, or DataLoss if it is longer than `limit` bytes."""

    def pieces(self, digest: str, start: int, end: int) -> Iterator[bytes]:
        """Return the bytes from `start` up to but not including `end`, piece by piece; NotFound."""

    def path(self, digest: str) -> Path | None:
        """Return the file that holds a blob, for sendfile(2); None where blobs are not files of this machine."""

    def place(self, source: Path, digest: Digest) -> None:
        """Have the bytes of a local file, which hash to `digest`, durably when this returns. The file may stay."""

    def put(self, data: bytes, digest: Digest) -> None:
        """As `place`, of bytes in memory."""

    def delete(self, digest: Digest) -> int | None:
        """Remove a blob and return how many bytes that freed; None when it was not here."""

    def stored(self) -> Iterator[Stored]:
        """Return all that is here."""
