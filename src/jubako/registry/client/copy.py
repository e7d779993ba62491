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

from jubako.errors import DataLoss, InvalidArgument, Unavailable
from jubako.image import manifest as documents
from jubako.image import platform as platforms
from jubako.image.progress import SILENT, Progress
from jubako.image.reference import DEFAULT_TAG, Reference
from jubako.registry.client import origin, parallel
from jubako.registry.client.options import DEFAULT, ClientOptions
from jubako.registry.client.origin import Origin
from jubako.registry.client.pull import short
from jubako.registry.client.referrers import put_with_subject, referrers
from jubako.registry.client.repository import Repository
from jubako.registry.client.stream import Cancelled
from jubako.registry.client.transport import BLOCK_BYTES, finish
from jubako.spec.oci_image import Descriptor, Digest, Index, Manifest, Platform

_NESTING_LIMIT = 4


class _Document(msgspec.Struct, frozen=True):
    target: Descriptor
    data: bytes


class _Copy:
    """One copy under way: what there is to send, each thing after all that it names."""

    def __init__(self, source: Origin, repository: Repository, mount_from: str, progress: Progress) -> None:
        self.source = source
        self.target = repository
        self.mount_from = mount_from
        self.progress = progress
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
                self.plan(child.digest, None, depth + 1)
        else:
            self._add_blobs(document)
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

    def _add_blobs(self, manifest: Manifest) -> None:
        for blob in (manifest.config, *manifest.layers):
            # Foreign layers come from where they say; registries do not take them.
            if not blob.urls:
                self.blobs.setdefault(blob.digest, blob)

    def blob(self, blob: Descriptor, cancel: Event) -> None:
        name = short(blob.digest)
        if self.target.has_blob(blob.digest):
            self.progress.update(name, "Layer already exists")
            return
        location = self.target.mount(blob.digest, self.mount_from) if self.mount_from else None
        if self.mount_from and location is None:
            self.progress.update(name, f"Mounted from {self.mount_from}")
            return
        self._send(blob, location, cancel)
        self.progress.update(name, "Copied", blob.size, blob.size)

    def _send(self, blob: Descriptor, location: str | None, cancel: Event) -> None:
        retries = self.target.session.options.retries
        for attempt in range(retries + 1):
            try:
                target = location or self.target.begin_upload(blob.digest)
                self.source.ask(partial(self._stream, target=target, blob=blob, cancel=cancel))
                return
            except Unavailable:
                if attempt == retries or cancel.is_set():
                    raise
            location = None
            self.target.session.wait(attempt)

    def _stream(self, source: Repository, *, target: str, blob: Descriptor, cancel: Event) -> None:
        response, _ = source.open_blob(blob.digest)
        try:
            self.target.upload(target, blob.digest, blob.size, self._pieces(response, blob, cancel))
        finally:
            finish(response)

    def _pieces(self, response: object, blob: Descriptor, cancel: Event) -> Iterator[bytes]:
        digest = hashlib.new(blob.digest.partition(":")[0])
        done = 0
        while data := response.read(BLOCK_BYTES):  # type: ignore[attr-defined]
            if cancel.is_set():
                raise Cancelled
            digest.update(data)
            done += len(data)
            if done == blob.size and not blob.digest.endswith(digest.hexdigest()):
                raise DataLoss(f"{self.source.name}@{blob.digest}: the blob does not match its digest")
            yield data
            self.progress.update(short(blob.digest), "Copying", done, blob.size)


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
    shown = progress or SILENT
    if target.digest:
        raise InvalidArgument(f"a copy needs a tag to go to, not a digest: {target.familiar()}")
    with ExitStack() as stack:
        mount_from = source.path if source.domain == target.domain and source.path != target.path else ""
        found = origin.opened(stack, source, None, options)
        repository = origin.target(stack, target, None, options, sources=[mount_from] if mount_from else [])
        work = _Copy(found, repository, mount_from, shown)
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
