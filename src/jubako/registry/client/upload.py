"""One blob to a registry with the least bytes: it is there, or is mounted from another repository, or is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event

from jubako.errors import Unavailable
from jubako.image.progress import Progress, short
from jubako.registry.client.repository import Repository
from jubako.spec.oci_image import Descriptor

Begin = Callable[[], str]
"""Where to send the bytes to; each try asks anew, since what a broken one left there is in the way."""


class Uploads:
    """To one repository, of which `sources` are others of the same registry that may have the blobs."""

    def __init__(self, repository: Repository, sources: Sequence[str], progress: Progress) -> None:
        self.repository = repository
        self.sources = sources
        self.progress = progress

    def bring(self, blob: Descriptor, cancel: Event, send: Callable[[Begin], None], *, done: str) -> None:
        """Have the blob there; `send` does it in one request, and `done` is the word for that."""
        name = short(blob.digest)
        if self.repository.has_blob(blob.digest):
            self.progress.update(name, "Layer already exists")
            return
        location: str | None = None
        for source in self.sources:
            location = self.repository.mount(blob.digest, source)
            if location is None:
                self.progress.update(name, f"Mounted from {source}")
                return
        self._send(blob, [location] if location else [], cancel, send)
        self.progress.update(name, done, blob.size, blob.size)

    def _send(self, blob: Descriptor, locations: list[str], cancel: Event, send: Callable[[Begin], None]) -> None:
        """From the start again when the registry or the way to it fails."""

        def begin() -> str:
            return locations.pop() if locations else self.repository.begin_upload(blob.digest)

        retries = self.repository.session.options.retries
        for attempt in range(retries + 1):
            try:
                send(begin)
                return
            except Unavailable:
                if attempt == retries or cancel.is_set():
                    raise
            self.repository.session.wait(attempt)
