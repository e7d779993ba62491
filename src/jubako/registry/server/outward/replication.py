"""Bringing a peer to how things are here: a reference with all that it leads to, or its absence.

Idempotent, and it sends only what the peer lacks; so two registries that replicate to each other come to rest.
"""

from __future__ import annotations

from jubako.errors import NotFound
from jubako.registry.client.repository import Repository
from jubako.registry.client.transport import finish
from jubako.registry.server.config.schema import Peer
from jubako.registry.server.documents import ManifestEntry
from jubako.registry.server.events import Event
from jubako.registry.server.manifests import Manifests
from jubako.registry.server.outward.remote import RemoteRegistry
from jubako.registry.server.state import State
from jubako.spec.oci_image import Digest


class Replicator:
    def __init__(self, peer: Peer, state: State, manifests: Manifests) -> None:
        self._peer = peer
        self._remote = RemoteRegistry(peer)
        self._state = state
        self._manifests = manifests

    def bring(self, event: Event) -> None:
        """Have the peer say what we say of the event's reference. Raises what the peer's refusal means."""
        repository = self._remote.repository(event.repository, push=True)
        reference = event.tag or event.digest or ""
        try:
            digest, entry = self._manifests.resolve(event.repository, reference)
        except NotFound:
            # It was pushed and is gone again, which some peers are not to follow.
            if self._peer.deletes:
                self._delete(repository, event.repository, reference)
            return
        if repository.manifest_digest(reference) != digest:
            self._copy(repository, event.repository, digest, entry, reference)

    def _copy(self, repository: Repository, name: str, digest: Digest, entry: ManifestEntry, reference: str) -> None:
        for child in entry.children:
            try:
                found, below = self._manifests.resolve(name, child)
            except NotFound:
                continue
            if not repository.has_manifest(found):
                self._copy(repository, name, found, below, found)
        for blob in entry.blobs:
            self._send(repository, name, blob)
        repository.put_manifest(reference, entry.media_type, self._manifests.read(digest))

    def _send(self, repository: Repository, name: str, digest: Digest) -> None:
        if repository.has_blob(digest):
            return
        size = self._state.storage.size(digest)
        repository.upload(repository.begin_upload(digest), digest, size, self._state.storage.pieces(digest, 0, size))

    def _delete(self, repository: Repository, name: str, reference: str) -> None:
        finish(
            repository.session.request(
                "DELETE",
                f"/v2/{name}/manifests/{reference}",
                scope=f"repository:{name}:delete",
                subject=name,
                expect=(200, 202, 404),
            )
        )
