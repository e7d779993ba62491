"""A blob from a registry into the store: hashed while it streams, resumed where it broke off, linked when right."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import urllib3

from jubako.errors import DataLoss, Unavailable
from jubako.registry.client.repository import Repository
from jubako.registry.client.transport import BLOCK_BYTES, finish
from jubako.spec.oci_image import Descriptor
from jubako.store import BlobWriter, Store

# A connection that brought this much was worth it: the count of failures starts again.
_WORTHWHILE_BYTES = 4 << 20


class Cancelled(Exception):
    """Another part of the same operation has failed; nobody waits for this one."""


def fetch(
    repository: Repository, store: Store, blob: Descriptor, *, cancel: Event, report: Callable[[int], None]
) -> None:
    """Download `blob` unless it is here. Raises DataLoss, Unavailable, and what the registry's refusal means.

    `report` is told how many bytes there are, now and then.
    """
    if _is_here(store, blob):
        return
    with store.blobs.writer(expected=blob.digest, size=blob.size) as writer:
        failures = 0
        while writer.tell() < blob.size:
            start = writer.tell()
            try:
                _continue(repository, blob, writer, cancel, report)
            except urllib3.exceptions.HTTPError as error:
                if cancel.is_set():
                    raise Cancelled from error
                failures = 0 if writer.tell() - start >= _WORTHWHILE_BYTES else failures + 1
                if failures > repository.session.options.retries:
                    raise Unavailable(
                        f"{repository.name}@{blob.digest}: the download keeps breaking off, "
                        f"last after {writer.tell()} of {blob.size} bytes: {error}"
                    ) from error
                repository.session.wait(failures)
        writer.commit()


def _is_here(store: Store, blob: Descriptor) -> bool:
    return store.blobs.exists(blob.digest) and store.blobs.stat(blob.digest).size == blob.size


def _continue(
    repository: Repository, blob: Descriptor, writer: BlobWriter, cancel: Event, report: Callable[[int], None]
) -> None:
    response, position = repository.open_blob(blob.digest, offset=writer.tell())
    try:
        _check_length(repository, blob, response, position)
        while data := response.read(BLOCK_BYTES):
            if cancel.is_set():
                raise Cancelled
            # A registry that knows no ranges begins again at 0: what is here already is passed over.
            fresh = memoryview(data)[max(0, writer.tell() - position) :]
            position += len(data)
            if position > blob.size:
                raise DataLoss(f"{repository.name}@{blob.digest}: more than the {blob.size} bytes that it must have")
            writer.write(fresh)
            report(writer.tell())
    except BaseException:
        response.close()
        raise
    finish(response)
    if position < blob.size:
        raise DataLoss(f"{repository.name}@{blob.digest}: ended after {position} of {blob.size} bytes")


def _check_length(repository: Repository, blob: Descriptor, response: urllib3.BaseHTTPResponse, position: int) -> None:
    """Do not read a gigabyte to learn that it is not what was promised."""
    length = response.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and position + int(length) != blob.size:
        raise DataLoss(
            f"{repository.name}@{blob.digest}: the registry has {position + int(length)} bytes, "
            f"the manifest says {blob.size}"
        )
