"""Blobs as objects of an S3-compatible store. The one place that imports obstore.

Layout:       [PREFIX/]blobs/<algorithm>/<hex>
Invariant:    an object appears whole or not at all, so one under its name hashes to it: only checked bytes are sent.
Durability:   is the object store's, once it has acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jubako.errors import DataLoss, NotFound, Unavailable
from jubako.image.reference import is_digest
from jubako.registry.server.config.schema import S3
from jubako.registry.server.storage.driver import Stored
from jubako.spec.oci_image import Digest
from jubako.store import digest as digests

if TYPE_CHECKING:
    from obstore.store import S3Store

_PIECE_BYTES = 1 << 20
_PART_BYTES = 8 << 20
_CONCURRENT_PARTS = 4


class Objects:
    def __init__(self, settings: S3) -> None:
        self._store = _open(settings)
        self._prefix = "/".join(part for part in (settings.prefix.strip("/"), "blobs") if part)

    def exists(self, digest: str) -> bool:
        try:
            self.size(digest)
        except NotFound:
            return False
        return True

    def size(self, digest: str) -> int:
        import obstore

        with _explained(digest):
            return obstore.head(self._store, self._key(digest))["size"]

    def read(self, digest: str, *, limit: int) -> bytes:
        import obstore

        with _explained(digest):
            found = obstore.get(self._store, self._key(digest))
            if found.meta["size"] > limit:
                raise DataLoss(f"blob {digest} is longer than {limit} bytes")
            return bytes(found.bytes())

    def pieces(self, digest: str, start: int, end: int) -> Iterator[bytes]:
        import obstore

        if start >= end:
            return
        with _explained(digest):
            found = obstore.get(self._store, self._key(digest), options={"range": (start, end)})
            for piece in found.stream(min_chunk_size=_PIECE_BYTES):
                yield bytes(piece)

    def path(self, digest: str) -> None:
        return None

    def place(self, source: Path, digest: Digest) -> None:
        self._send(source, digest, source.stat().st_size)

    def put(self, data: bytes, digest: Digest) -> None:
        self._send(data, digest, len(data))

    def delete(self, digest: Digest) -> int | None:
        import obstore

        try:
            freed_bytes = self.size(digest)
        except NotFound:
            return None
        with _explained(digest):
            obstore.delete(self._store, self._key(digest))
        return freed_bytes

    def stored(self) -> Iterator[Stored]:
        import obstore

        with _explained(self._prefix):
            for page in obstore.list(self._store, prefix=self._prefix + "/"):
                for entry in page:
                    algorithm, _, encoded = entry["path"].removeprefix(self._prefix + "/").partition("/")
                    if is_digest(f"{algorithm}:{encoded}"):
                        digest = Digest(f"{algorithm}:{encoded}")
                        yield Stored(digest, entry["size"], entry["last_modified"].timestamp())

    def _send(self, source: Path | bytes, digest: Digest, size: int) -> None:
        import obstore

        if self.exists(digest):
            return
        with _explained(digest):
            obstore.put(
                self._store,
                self._key(digest),
                source,
                use_multipart=size > _PART_BYTES,
                chunk_size=_PART_BYTES,
                max_concurrency=_CONCURRENT_PARTS,
            )

    def _key(self, digest: str) -> str:
        algorithm, encoded = digests.split(digest)
        return f"{self._prefix}/{algorithm}/{encoded}"


def _open(settings: S3) -> S3Store:
    from obstore.store import S3Store

    # What is not configured comes from the environment and the machine's role, as with every client of S3.
    known: dict[str, Any] = {"region": settings.region, "virtual_hosted_style_request": settings.virtual_hosted}
    if settings.endpoint:
        known["endpoint"] = settings.endpoint
    if settings.secret_access_key_file is not None:
        known["access_key_id"] = settings.access_key_id
        known["secret_access_key"] = settings.secret_access_key_file.read_text().strip()
    return S3Store(
        settings.bucket,
        **known,
        client_options={"allow_http": settings.endpoint.startswith("http://"), "timeout": timedelta(minutes=10)},
        retry_config={"max_retries": 5, "retry_timeout": timedelta(minutes=2)},
    )


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn what the object store says into our kinds of error."""
    from obstore.exceptions import BaseError, NotFoundError

    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise NotFound("blob", what) from None
    except BaseError as error:
        raise Unavailable(f"the object store failed: {str(error).splitlines()[0][:300]}") from error
