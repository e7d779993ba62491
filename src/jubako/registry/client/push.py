"""push: an image, or all that an index names, goes to a registry: blobs first, children next, the name last.

Nothing is sent that the registry has: each blob is looked for, then mounted from another repository of the same
registry where the image has a name there too, and only then uploaded, in one streamed request.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from threading import Event
from typing import BinaryIO

import msgspec

from jubako.errors import NotFound
from jubako.image import manifest as documents
from jubako.image import reference
from jubako.image.catalog import Image
from jubako.image.progress import SILENT, Progress, short
from jubako.image.reference import DEFAULT_TAG, Reference
from jubako.registry.client import origin, parallel
from jubako.registry.client.credentials import Credentials
from jubako.registry.client.options import DEFAULT, ClientOptions
from jubako.registry.client.referrers import put_with_subject
from jubako.registry.client.repository import Repository
from jubako.registry.client.stream import Cancelled
from jubako.registry.client.transport import BLOCK_BYTES
from jubako.registry.client.upload import Begin, Uploads
from jubako.spec.oci_image import INDEX, MANIFEST, Descriptor, Digest, Index, Platform
from jubako.store import Store


class _Plan(msgspec.Struct):
    """What to send, each thing after all that it names."""

    blobs: dict[Digest, Descriptor] = {}
    documents: dict[Digest, Descriptor] = {}

    def add(self, store: Store, target: Descriptor) -> None:
        """Add a manifest or index with all beneath it; NotFound when some of it is not here."""
        document = documents.read(store, target)
        if isinstance(document, Index):
            for child in document.manifests:
                self.add(store, child)
        else:
            for blob in documents.held_by_registries(document):
                store.blobs.stat(blob.digest)
                self.blobs[blob.digest] = blob
        self.documents[target.digest] = target


class _Push:
    """One push under way."""

    def __init__(self, store: Store, uploads: Uploads) -> None:
        self.store = store
        self.uploads = uploads

    def blob(self, blob: Descriptor, cancel: Event) -> None:
        def send(begin: Begin) -> None:
            target = begin()
            with self.store.blobs.open(blob.digest) as stream:
                self.uploads.repository.upload(target, blob.digest, blob.size, self._pieces(stream, blob, cancel))

        self.uploads.bring(blob, cancel, send, done="Pushed")

    def _pieces(self, stream: BinaryIO, blob: Descriptor, cancel: Event) -> Iterator[bytes]:
        while data := stream.read(BLOCK_BYTES):
            if cancel.is_set():
                raise Cancelled
            yield data
            self.uploads.progress.update(short(blob.digest), "Pushing", stream.tell(), blob.size)


def push(
    store: Store,
    image: Image,
    ref: Reference,
    *,
    credentials: Credentials | None = None,
    options: ClientOptions = DEFAULT,
    platform: Platform | None = None,
    progress: Progress | None = None,
) -> Descriptor:
    """Send `image` to the repository and tag of `ref`; return what the name means there now.

    An index goes with all its children, or, where not all of them are in the store, as the one manifest that is; with
    `platform` as the manifest for that.
    """
    shown = progress or SILENT
    with ExitStack() as stack:
        lease = stack.enter_context(store.leases.hold(f"push {ref}"))
        target, plan = _plan(store, image, shown, platform)
        lease.add(*plan.blobs, *plan.documents)
        sources = _sources(image, ref)
        repository = origin.target(stack, ref, credentials, options, sources=sources)
        send(store, repository, list(plan.blobs.values()), shown, sources=sources)
        _put_documents(store, repository, ref, target, plan)
    return target


def send(
    store: Store,
    repository: Repository,
    blobs: Sequence[Descriptor],
    progress: Progress,
    *,
    sources: Sequence[str] = (),
) -> None:
    """Bring blobs of the store to the repository, several at a time; `sources` may have them already."""
    work = _Push(store, Uploads(repository, sources, progress))
    distinct = {blob.digest: blob for blob in blobs}
    for digest in distinct:
        progress.update(short(digest), "Preparing")
    session = repository.session
    parallel.run(
        [partial(work.blob, blob) for blob in distinct.values()], session.options.parallel, abort=session.abort
    )


def _plan(store: Store, image: Image, progress: Progress, platform: Platform | None) -> tuple[Descriptor, _Plan]:
    plan = _Plan()
    if platform is not None:
        chosen, _ = documents.resolve(store, image.target, platform)
        plan.add(store, chosen)
        return chosen, plan
    try:
        plan.add(store, image.target)
        return image.target, plan
    except NotFound:
        if image.target.digest == image.manifest_digest:
            raise
    target = _manifest_of(store, image)
    progress.update(
        "", f"Only the image for {image.config.os}/{image.config.architecture} is here, and is pushed alone"
    )
    plan = _Plan()
    plan.add(store, target)
    return target, plan


def _manifest_of(store: Store, image: Image) -> Descriptor:
    """The entry of the image's index by which it was chosen, as a descriptor of its own."""
    media_type = image.manifest.media_type
    return Descriptor(
        media_type=media_type if isinstance(media_type, str) else "",
        digest=image.manifest_digest,
        size=store.blobs.stat(image.manifest_digest).size,
    )


def _sources(image: Image, ref: Reference) -> list[str]:
    """Other repositories of the same registry that should have these blobs."""
    names = (reference.parse(name) for name in image.names)
    return sorted({name.path for name in names if name.domain == ref.domain and name.path != ref.path})


def _put_documents(store: Store, repository: Repository, ref: Reference, target: Descriptor, plan: _Plan) -> None:
    for digest, document in plan.documents.items():
        name = (ref.digest or ref.tag or DEFAULT_TAG) if digest == target.digest else digest
        data = store.blobs.read(digest, limit=documents.DOCUMENT_LIMIT_BYTES)
        put_with_subject(repository, name, document.media_type or _own_media_type(data), data)


def _own_media_type(data: bytes) -> str:
    """What a document is, for one that neither its descriptor nor itself names."""
    document = documents.decode(data)
    if isinstance(document.media_type, str):
        return document.media_type
    return INDEX if isinstance(document, Index) else MANIFEST
