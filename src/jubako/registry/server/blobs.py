"""Which repository may serve which blob."""

from __future__ import annotations

from jubako.errors import NotFound
from jubako.registry.server.documents import BlobLink, in_repository
from jubako.registry.server.state import State
from jubako.registry.server.usage import charge, refund
from jubako.spec.oci_image import Digest

# Collection spares what was touched within its grace, which is far longer: touching need not be exact.
_TOUCH_INTERVAL_S = 300.0


class Blobs:
    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, name: str, digest: str) -> BlobLink:
        """Return the link of a blob that repository `name` has; NotFound."""
        link = self._state.read.blobs.find(in_repository(name, digest))
        if link is None:
            raise NotFound("blob", digest)
        return link

    def is_stale(self, link: BlobLink) -> bool:
        """Whether wanting the blob is worth a write."""
        return self._state.clock() - link.touched > _TOUCH_INTERVAL_S

    def touch(self, name: str, digest: str) -> None:
        """Keep collection away from a blob that a push is about to build on; NotFound when it was faster."""
        key = in_repository(name, digest)
        blobs = self._state.write.blobs
        with self._state.store.records.transaction():
            blobs.replace(key, BlobLink(blobs.get(key).size, self._state.clock()))

    def record(self, name: str, digest: Digest, size: int) -> None:
        """Let repository `name` serve a stored blob; within a transaction. Refused when that is over its quota."""
        blobs, key = self._state.write.blobs, in_repository(name, digest)
        link = BlobLink(size, self._state.clock())
        if blobs.find(key) is None:
            charge(self._state, name, size)
            blobs.insert(key, link)
        else:
            blobs.replace(key, link)

    def holders(self, digest: str, source: str = "") -> list[str]:
        """Return the repositories that have a blob, or of those only `source`."""
        read = self._state.read
        names = [source] if source else read.repositories.keys()
        return [name for name in names if read.blobs.find(in_repository(name, digest))]

    def mount(self, name: str, digest: Digest, source: str) -> bool:
        """Let `name` serve what `source` serves, durably; False when there is nothing to mount."""
        with self._state.store.records.transaction():
            link = self._state.write.blobs.find(in_repository(source, digest))
            if link is None:
                return False
            self.record(name, digest, link.size)
        self._state.make_durable()
        return True

    def delete(self, name: str, digest: str) -> None:
        """Repository `name` no longer serves the blob; its bytes go with the next collection."""
        with self._state.store.records.transaction():
            self.discard(name, digest)
        self._state.make_durable()

    def discard(self, name: str, digest: str) -> None:
        """Delete the record of a blob, within a transaction; NotFound."""
        blobs, key = self._state.write.blobs, in_repository(name, digest)
        refund(self._state, name, blobs.get(key).size)
        blobs.delete(key)
