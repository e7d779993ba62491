"""What a repository has under one name, read and written piece by piece: for documents that are no images.

Order:  blobs go before the document that names them, so a broken upload leaves what was there.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from threading import Event

from jubako.image import manifest as documents
from jubako.image.progress import SILENT
from jubako.image.reference import DEFAULT_TAG, Reference
from jubako.registry.client import download, origin
from jubako.registry.client.options import DEFAULT, ClientOptions
from jubako.registry.client.push import send
from jubako.spec.oci_image import Descriptor, Index, Manifest
from jubako.store import Store


class Content:
    """To read from; `stack` closes it. Any thread may call."""

    def __init__(self, stack: ExitStack, ref: Reference, options: ClientOptions = DEFAULT) -> None:
        self._origin = origin.opened(stack, ref, None, options)
        self._reference = ref.digest or ref.tag or DEFAULT_TAG

    def document(self, child: Descriptor | None = None) -> Manifest | Index:
        """What the name means, or one of the documents that it leads to. Raises what a pull does."""
        wanted = child.digest if child else self._reference
        target, data = self._origin.ask(lambda repository: repository.manifest(wanted))
        return documents.decode(data, target.media_type)

    def bring(self, store: Store, blob: Descriptor, cancel: Event) -> None:
        """Have a blob in the store. Raises what a pull does, and Cancelled once `cancel` is set."""
        download.fetch(self._origin.repositories, store, blob, cancel=cancel, report=lambda _: None)


class Upload:
    """To write to; `stack` closes it."""

    def __init__(self, stack: ExitStack, ref: Reference, options: ClientOptions = DEFAULT) -> None:
        self._repository = origin.target(stack, ref, None, options, sources=[])
        self._reference = ref.tag or DEFAULT_TAG

    def has(self, blob: Descriptor) -> bool:
        return self._repository.has_blob(blob.digest)

    def send(self, store: Store, blobs: Sequence[Descriptor]) -> None:
        send(store, self._repository, blobs, SILENT)

    def name(self, document: Descriptor, data: bytes) -> None:
        """Make the name mean this document."""
        self._repository.put_manifest(self._reference, document.media_type, data)
