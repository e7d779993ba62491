"""One blob or manifest of an image again, by its digest: for a store that has lost it."""

from __future__ import annotations

from contextlib import ExitStack
from threading import Event

from jubako.errors import DataLoss
from jubako.image.reference import Reference
from jubako.registry.client import download, origin
from jubako.registry.client.options import DEFAULT, ClientOptions
from jubako.spec.distribution import DOCUMENT_TYPES
from jubako.spec.oci_image import Descriptor
from jubako.store import Store


def restore(store: Store, ref: Reference, wanted: Descriptor, *, options: ClientOptions = DEFAULT) -> None:
    """Fetch `wanted` from where the repository of `ref` is, mirrors included. Raises what pull does."""
    with ExitStack() as stack:
        source = origin.opened(stack, ref.with_digest(wanted.digest), None, options)
        if wanted.media_type not in DOCUMENT_TYPES:
            download.fetch(source.repositories, store, wanted, cancel=Event(), report=lambda _: None)
            return
        _, data = source.ask(lambda repository: repository.manifest(wanted.digest))
        if len(data) != wanted.size:
            raise DataLoss(f"{wanted.digest} has {len(data)} bytes, its descriptor says {wanted.size}")
        with store.blobs.writer(expected=wanted.digest, size=wanted.size) as writer:
            writer.write(data)
            writer.commit()
