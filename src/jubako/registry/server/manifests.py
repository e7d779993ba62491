"""Manifests, tags and referrers of repositories. Bytes are stored, served and hashed as they were pushed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from jubako.errors import NotFound
from jubako.image import manifest as documents
from jubako.image.reference import is_digest
from jubako.registry.server.bytecache import ByteCache
from jubako.registry.server.config.schema import Event as Action
from jubako.registry.server.documents import ManifestEntry, Tag, in_repository, referrer_key, tag_key
from jubako.registry.server.events import Event
from jubako.registry.server.pushed import (
    blobs_of,
    check_tags,
    children_of,
    decode,
    digest_for,
    entry_of,
    referrer_of,
)
from jubako.registry.server.refusal import Refused
from jubako.registry.server.state import State, put
from jubako.registry.server.usage import charge, refund
from jubako.spec.distribution import Code
from jubako.spec.oci_image import Descriptor, Digest, Index, Manifest

LIMIT_BYTES = documents.DOCUMENT_LIMIT_BYTES
_CACHE_BYTES = 32 << 20


class Manifests:
    def __init__(self, state: State) -> None:
        self._state = state
        self._cache = ByteCache(_CACHE_BYTES)

    def resolve(self, name: str, reference: str) -> tuple[Digest, ManifestEntry]:
        """Return the manifest that a tag or digest of repository `name` means; NotFound."""
        digest = Digest(reference)
        if not is_digest(reference):
            tag = self._state.read.tags.find(tag_key(name, reference))
            if tag is None:
                raise NotFound("manifest", reference)
            digest = tag.digest
        entry = self._state.read.manifests.find(in_repository(name, digest))
        if entry is None:
            raise NotFound("manifest", reference)
        return digest, entry

    def put(
        self,
        name: str,
        reference: str,
        media_type: str,
        data: bytes,
        *,
        tags: Sequence[str] = (),
        sparse: bool = False,
        by: str = "",
    ) -> tuple[Digest, Digest | None]:
        """Store a manifest under its digest, under `tags`, and under `reference` when that is a tag; durably.

        Returns its digest and its subject. Refused when it is malformed, or names what the repository does not have,
        unless it may be `sparse`. `by` is the user who pushed it.
        """
        tags = tuple(dict.fromkeys(tags if is_digest(reference) else (reference, *tags)))
        check_tags(tags)
        digest = digest_for(reference, data)
        target = Descriptor(media_type=media_type, digest=digest, size=len(data))
        document = decode(data, media_type)
        entry = entry_of(document, target, self._state.clock())

        def require_content() -> None:
            if not (sparse or self._state.rules.sparse):
                self._require_content(name, document)

        def record() -> None:
            require_content()
            self._record(name, entry, document, target)
            for tag in tags:
                self._tag(name, tag, digest)
            for known_as in tags or (None,):
                self._announce("push", name, digest, known_as, entry, by)

        require_content()
        self._state.publish(digest, lambda: self._state.storage.put(data, digest), record)
        return digest, entry.subject

    def in_memory(self, digest: Digest) -> bytes | None:
        """The bytes of a manifest that was read lately; never waits."""
        return self._cache.get(digest)

    def read(self, digest: Digest) -> bytes:
        """Return the bytes of a manifest that a repository has; they never change, and the last ones are kept."""
        data = self.in_memory(digest)
        if data is None:
            data = self._state.storage.read(digest, limit=LIMIT_BYTES)
            self._cache.put(digest, data)
        return data

    def delete(self, name: str, reference: str, *, by: str = "") -> None:
        """Delete a tag, or by digest a manifest with all tags that point to it; durably. NotFound, Refused."""
        with self._state.store.records.transaction():
            if is_digest(reference):
                self.discard(name, Digest(reference), by=by)
            else:
                self.untag(name, reference, by=by)
        self._state.make_durable()

    def discard(self, name: str, digest: Digest, *, by: str = "") -> None:
        """Delete the records of a manifest and of all its tags; within a transaction. NotFound, Refused."""
        write = self._state.write
        entry = write.manifests.get(in_repository(name, digest))
        for key, tag in write.tags.items(f"{name}:"):
            if tag.digest == digest:
                self.untag(name, key.partition(":")[2], by=by)
        refund(self._state, name, entry.size)
        write.manifests.delete(in_repository(name, digest))
        if entry.subject:
            write.referrers.delete(referrer_key(name, entry.subject, digest))
        self._announce("delete", name, digest, None, entry, by)

    def untag(self, name: str, tag: str, *, by: str = "") -> None:
        """Delete a tag, within a transaction. NotFound, Refused where tags must stay."""
        self._state.rules.refuse_change(name, tag)
        if not self._state.write.tags.delete(tag_key(name, tag)):
            raise NotFound("manifest", tag)
        self._announce("delete", name, None, tag, None, by)

    def tags(self, name: str) -> list[str]:
        """Return all tags of a repository in ASCII order; NotFound when there is no such repository."""
        if self._state.read.repositories.find(name) is None:
            raise NotFound("repository", name)
        return [key.partition(":")[2] for key in self._state.read.tags.keys(f"{name}:")]

    def referrers(self, name: str, subject: str) -> list[Descriptor]:
        return [descriptor for _, descriptor in self._state.read.referrers.items(f"{name}@{subject}@")]

    def repositories(self) -> list[str]:
        return self._state.read.repositories.keys()

    def _record(self, name: str, entry: ManifestEntry, document: Manifest | Index, target: Descriptor) -> None:
        write, key = self._state.write, in_repository(name, target.digest)
        if write.manifests.find(key) is None:
            charge(self._state, name, target.size)
        put(write.manifests, key, entry)
        if entry.subject:
            put(write.referrers, referrer_key(name, entry.subject, target.digest), referrer_of(document, target))

    def _tag(self, name: str, tag: str, digest: Digest) -> None:
        tags, key = self._state.write.tags, tag_key(name, tag)
        before = tags.find(key)
        if before is not None and before.digest != digest:
            self._state.rules.refuse_change(name, tag)
        put(tags, key, Tag(digest, self._state.clock()))

    def _announce(
        self, action: Action, name: str, digest: Digest | None, tag: str | None, entry: ManifestEntry | None, by: str
    ) -> None:
        event = Event(
            id=os.urandom(8).hex(),
            action=action,
            at=self._state.clock(),
            repository=name,
            digest=digest,
            tag=tag,
            media_type=entry.media_type if entry else "",
            size=entry.size if entry else 0,
            user=by,
        )
        self._state.outbox.add(self._state.write.deliveries, event)

    def _require_content(self, name: str, document: Manifest | Index) -> None:
        """Refuse a manifest that could not be pulled: what it names must be in this repository."""
        write = self._state.write
        self._refuse_missing("manifest", write.manifests.find, name, children_of(document))
        self._refuse_missing("blob", write.blobs.find, name, blobs_of(document))

    def _refuse_missing(self, what: str, find: Callable[[str], object], name: str, digests: Sequence[Digest]) -> None:
        for digest in digests:
            if find(in_repository(name, digest)) is None:
                raise Refused(Code.MANIFEST_BLOB_UNKNOWN, f"{what} unknown to registry", detail={"digest": digest})
