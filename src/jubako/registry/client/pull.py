"""pull: a reference becomes a recorded image whose blobs are all in the store.

Order:        manifest (through an index), configuration, layers in parallel, then the record: an image is never
              recorded before all that it needs is durable. Killed in between it leaves blobs that collection takes.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from threading import Event

from jubako.errors import InvalidArgument
from jubako.image import manifest as documents
from jubako.image import platform as platforms
from jubako.image.catalog import Image, Images
from jubako.image.progress import SILENT, Progress, short
from jubako.image.reference import DEFAULT_TAG, Reference
from jubako.registry.client import download, origin, parallel
from jubako.registry.client.credentials import Credentials
from jubako.registry.client.options import DEFAULT, ClientOptions
from jubako.registry.client.origin import Origin
from jubako.spec.oci_image import Descriptor, DiffID, Index, Manifest, Platform
from jubako.store import Lease, Store

_NESTING_LIMIT = 4

OnBlob = Callable[[Descriptor, DiffID], None]


class _Pull:
    """One pull under way."""

    def __init__(self, store: Store, source: Origin, lease: Lease, progress: Progress) -> None:
        self.store = store
        self.source = source
        self.lease = lease
        self.progress = progress

    def document(self, reference: str, described: Descriptor | None = None) -> tuple[Descriptor, Manifest | Index]:
        """Fetch and store one manifest or index; `described` is what its parent says of it."""
        target, data = self.source.ask(lambda repository: repository.manifest(reference))
        if described is not None and described.media_type != target.media_type:
            raise InvalidArgument(
                f"{self.source.name}@{target.digest} is called {described.media_type} by its index, "
                f"but was served as {target.media_type}"
            )
        document = documents.decode(data, target.media_type)
        self.lease.add(target.digest)
        with self.store.blobs.writer(expected=target.digest, size=len(data)) as writer:
            writer.write(data)
            writer.commit()
        return target, document

    def manifest(self, reference: str, wanted: Platform | None) -> tuple[Descriptor, Manifest]:
        """Follow indexes from `reference` to the manifest for a platform; return what the reference itself means."""
        target, document = self.document(reference)
        for _ in range(_NESTING_LIMIT):
            if isinstance(document, Manifest):
                return target, document
            child = platforms.select(document, wanted)
            _, document = self.document(child.digest, child)
        raise InvalidArgument(f"{self.source.name}: indexes nested more than {_NESTING_LIMIT} deep")

    def everything(self, target: Descriptor, depth: int = 0) -> list[Descriptor]:
        """Fetch all that `target` leads to but the layers (of artifacts, their blobs), which are returned."""
        if depth > _NESTING_LIMIT:
            raise InvalidArgument(f"{self.source.name}: indexes nested more than {_NESTING_LIMIT} deep")
        _, document = self.document(target.digest, target if depth else None)
        if isinstance(document, Index):
            return [blob for child in document.manifests for blob in self.everything(child, depth + 1)]
        self.blob(document.config)
        return list(document.layers)

    def blob(self, blob: Descriptor) -> None:
        """Fetch one small blob."""
        if blob.size > documents.CONFIG_LIMIT_BYTES:
            raise InvalidArgument(f"{self.source.name}: the configuration has {blob.size} bytes")
        self.lease.add(blob.digest)
        download.fetch(self.source.repositories, self.store, blob, cancel=Event(), report=lambda _: None)

    def diff_ids(self, manifest: Manifest) -> list[DiffID]:
        """Fetch the configuration, and say what each layer must unpack to."""
        self.blob(manifest.config)
        found = documents.read_config(self.store, manifest.config).rootfs.diff_ids
        if len(found) != len(manifest.layers):
            raise InvalidArgument(
                f"{self.source.name}: {len(manifest.layers)} layers, but the configuration lists {len(found)}"
            )
        return found

    def layer(self, layer: Descriptor, cancel: Event) -> None:
        name = short(layer.digest)
        if self.store.blobs.exists(layer.digest):
            self.progress.update(name, "Already exists", layer.size, layer.size)
            return
        self.progress.update(name, "Downloading", 0, layer.size)
        download.fetch(
            self.source.repositories,
            self.store,
            layer,
            cancel=cancel,
            report=lambda done: self.progress.update(name, "Downloading", done, layer.size),
        )
        self.progress.update(name, "Download complete", layer.size, layer.size)


def pull(
    store: Store,
    images: Images,
    ref: Reference,
    *,
    platform: Platform | None = None,
    all_platforms: bool = False,
    credentials: Credentials | None = None,
    options: ClientOptions = DEFAULT,
    progress: Progress | None = None,
    lease: Lease | None = None,
    on_blob: OnBlob | None = None,
    ready: Callable[[], None] | None = None,
) -> Image:
    """Fetch the image called `ref` and record it under that name.

    `on_blob` is called from the downloading threads with each layer as soon as it is in the store (also if it was),
    and with its diff_id, so that unpacking may begin while others still come; what it raises ends the pull.
    `all_platforms` fetches all that an index leads to; on_blob hears only of the layers for `platform` (this machine).
    `ready` is called when all is fetched; only if it returns does the image get its name.
    """
    shown = progress or SILENT
    with ExitStack() as stack:
        if lease is None:
            lease = stack.enter_context(store.leases.hold(f"pull {ref}"))
        work = _Pull(store, origin.opened(stack, ref, credentials, options), lease, shown)
        shown.update(ref.tag or ref.digest or "", f"Pulling from {ref.path}")
        target, manifest = work.manifest(ref.digest or ref.tag or DEFAULT_TAG, platform)
        layers: dict[str, tuple[Descriptor, DiffID | None]] = {}
        if all_platforms:
            layers = {layer.digest: (layer, None) for layer in work.everything(target)}
        pairs = zip(manifest.layers, work.diff_ids(manifest), strict=True)
        layers.update({layer.digest: (layer, diff_id) for layer, diff_id in pairs})
        _fetch_layers(work, list(layers.values()), options, on_blob)
        if ready:
            ready()
        images.put(str(ref), target, platform=platform)
        return images.resolve(str(ref))


def _fetch_layers(
    work: _Pull, layers: list[tuple[Descriptor, DiffID | None]], options: ClientOptions, on_blob: OnBlob | None
) -> None:
    """Fetch each layer; the largest first, so that no long one is left alone at the end."""
    work.lease.add(*(layer.digest for layer, _ in layers))
    for layer, _ in layers:
        work.progress.update(short(layer.digest), "Pulling fs layer")

    def job(layer: Descriptor, diff_id: DiffID | None, cancel: Event) -> None:
        work.layer(layer, cancel)
        if on_blob is not None and diff_id is not None:
            on_blob(layer, diff_id)

    order = sorted(layers, key=lambda pair: pair[0].size, reverse=True)
    jobs = [partial(job, layer, diff_id) for layer, diff_id in order]
    parallel.run(jobs, options.parallel, abort=work.source.abort)
