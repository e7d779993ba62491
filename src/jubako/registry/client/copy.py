"""copy: an image goes from one registry (or repository) to another as it is, without being stored or unpacked here.

Nothing is sent that the target has; within one registry blobs are mounted; a blob streams through memory, hashed on its
way. Children go before what names them, the name last, so a broken copy leaves no incomplete image.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from threading import Event

import msgspec
from urllib3 import BaseHTTPResponse

from jubako.errors import DataLoss, InvalidArgument
from jubako.image import manifest as documents
from jubako.image import platform as platforms
from jubako.image.progress import SILENT, Progress, short
from jubako.image.reference import DEFAULT_TAG, Reference
from jubako.registry.client import origin, parallel
from jubako.registry.client.options import DEFAULT, ClientOptions
from jubako.registry.client.origin import Origin
from jubako.registry.client.referrers import put_with_subject, referrers
from jubako.registry.client.repository import Repository
from jubako.registry.client.stream import Cancelled
from jubako.registry.client.transport import BLOCK_BYTES, finish
from jubako.registry.client.upload import Begin, Uploads
from jubako.spec.distribution import DOCUMENT_TYPES
from jubako.spec.oci_image import Descriptor, Digest, Index, Platform

_NESTING_LIMIT = 4


class _Document(msgspec.Struct, frozen=True):
    target: Descriptor
    data: bytes


class _Copy:
    """One copy under way: what there is to send, each thing after all that it names."""

    def __init__(self, source: Origin, uploads: Uploads) -> None:
        self.source = source
        self.uploads = uploads
        self.blobs: dict[Digest, Descriptor] = {}
        self.documents: dict[Digest, _Document] = {}

    def plan(self, reference: str, wanted: Platform | None, depth: int = 0) -> Descriptor:
        """Read the document called `reference` and all beneath; with `wanted`, go through indexes to one manifest."""
        if depth > _NESTING_LIMIT:
            raise InvalidArgument(f"{self.source.name}: indexes nested more than {_NESTING_LIMIT} deep")
        target, data = self.source.ask(lambda repository: repository.manifest(reference))
        document = documents.decode(data, target.media_type)
        if isinstance(document, Index) and wanted is not None:
            return self.plan(platforms.select(document, wanted).digest, wanted, depth + 1)
        if isinstance(document, Index):
            for child in document.manifests:
                if child.media_type in DOCUMENT_TYPES:
                    self.plan(child.digest, None, depth + 1)
                else:  # BuildKit's caches are indexes of layers.
                    self.blobs[child.digest] = child
        else:
            self.blobs.update((blob.digest, blob) for blob in documents.held_by_registries(document))
        self.documents.setdefault(target.digest, _Document(target, data))
        return target

    def add_referrers(self) -> None:
        """Signatures and the like of all that is copied, and theirs in turn."""
        pending = list(self.documents)
        while pending:
            subject = pending.pop()
            for entry in self.source.ask(partial(referrers, subject=subject)):
                if entry.digest not in self.documents:
                    self.plan(entry.digest, None)
                    pending.append(entry.digest)

    def blob(self, blob: Descriptor, cancel: Event) -> None:
        def send(begin: Begin) -> None:
            self.source.ask(partial(self._stream, begin=begin, blob=blob, cancel=cancel))

        self.uploads.bring(blob, cancel, send, done="Copied")

    def _stream(self, source: Repository, *, begin: Begin, blob: Descriptor, cancel: Event) -> None:
        response, _ = source.open_blob(blob.digest)
        try:
            self.uploads.repository.upload(begin(), blob.digest, blob.size, self._pieces(response, blob, cancel))
        finally:
            finish(response)

    def _pieces(self, response: BaseHTTPResponse, blob: Descriptor, cancel: Event) -> Iterator[bytes]:
        """The body; DataLoss before its last piece goes out when it is not the blob."""
        shown = f"{self.source.name}@{blob.digest}"
        digest = hashlib.new(blob.digest.partition(":")[0])
        done = 0
        while data := response.read(BLOCK_BYTES):
            if cancel.is_set():
                raise Cancelled
            digest.update(data)
            done += len(data)
            if done >= blob.size and not blob.digest.endswith(digest.hexdigest()):
                raise DataLoss(f"{shown}: the blob does not match its digest")
            yield data
            self.uploads.progress.update(short(blob.digest), "Copying", done, blob.size)
        if done < blob.size:
            raise DataLoss(f"{shown}: ended after {done} of {blob.size} bytes")


def copy(
    source: Reference,
    target: Reference,
    *,
    platform: Platform | None = None,
    with_referrers: bool = False,
    options: ClientOptions = DEFAULT,
    progress: Progress | None = None,
) -> Descriptor:
    """Copy `source` to the name `target`; return what that means now.

    An index goes whole, unless `platform` chooses one manifest. `with_referrers` takes signatures and the like along.
    """
    if target.digest:
        raise InvalidArgument(f"a copy needs a tag to go to, not a digest: {target.familiar()}")
    with ExitStack() as stack:
        mount_from = [source.path] if source.domain == target.domain and source.path != target.path else []
        found = origin.opened(stack, source, None, options)
        repository = origin.target(stack, target, None, options, sources=mount_from)
        work = _Copy(found, Uploads(repository, mount_from, progress or SILENT))
        result = work.plan(source.digest or source.tag or DEFAULT_TAG, platform)
        if with_referrers:
            work.add_referrers()
        jobs = [partial(work.blob, blob) for blob in work.blobs.values()]

        def abort() -> None:
            found.abort()
            repository.session.abort()

        parallel.run(jobs, options.parallel, abort=abort)
        named = work.documents.pop(result.digest)
        for digest, document in work.documents.items():
            put_with_subject(repository, digest, document.target.media_type, document.data)
        put_with_subject(repository, target.tag or DEFAULT_TAG, named.target.media_type, named.data)
    return result
