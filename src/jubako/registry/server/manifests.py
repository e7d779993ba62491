"""Manifests, tags and referrers of repositories. Bytes are stored, served and hashed as they were pushed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from jubako.errors import InvalidArgument, NotFound
from jubako.image import manifest as documents
from jubako.image.reference import is_digest
from jubako.registry.server.bytecache import ByteCache
from jubako.registry.server.documents import ManifestEntry, Tag, in_repository, referrer_key, tag_key
from jubako.registry.server.refusal import Refused
from jubako.registry.server.state import State, put
from jubako.registry.server.usage import charge, refund
from jubako.spec.distribution import Code, is_tag
from jubako.spec.oci_image import FOREIGN_LAYERS, Descriptor, Digest, Index, Manifest

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
        self, name: str, reference: str, media_type: str, data: bytes, *, tags: Sequence[str] = ()
    ) -> tuple[Digest, Digest | None]:
        """Store a manifest under its digest, under `tags`, and under `reference` when that is a tag; durably.

        Returns its digest and its subject. Refused when it is malformed or names what the repository does not have.
        """
        tags = tuple(dict.fromkeys(tags if is_digest(reference) else (reference, *tags)))
        _check_tags(tags)
        digest = _digest_for(reference, data)
        target = Descriptor(media_type=media_type, digest=digest, size=len(data))
        document = _decode(data, media_type)
        entry = _entry(document, target, self._state.clock())

        def record() -> None:
            self._require_content(name, document)
            self._record(name, entry, document, target, tags)

        self._require_content(name, document)
        self._state.publish(digest, lambda: self._state.storage.put(data, digest), record)
        return digest, entry.subject

    def read(self, digest: Digest) -> bytes:
        """Return the bytes of a manifest that a repository has; they never change, and the last ones are kept."""
        data = self._cache.get(digest)
        if data is None:
            data = self._state.storage.read(digest, limit=LIMIT_BYTES)
            self._cache.put(digest, data)
        return data

    def delete(self, name: str, reference: str) -> None:
        """Delete a tag, or by digest a manifest with all tags that point to it."""
        if is_digest(reference):
            with self._state.store.records.transaction():
                self.discard(name, Digest(reference))
        else:
            with self._state.store.records.transaction():
                self.untag(name, reference)
        self._state.make_durable()

    def discard(self, name: str, digest: Digest) -> None:
        """Delete the records of a manifest and of all its tags; within a transaction. NotFound, Refused."""
        write = self._state.write
        entry = write.manifests.get(in_repository(name, digest))
        for key, tag in write.tags.items(f"{name}:"):
            if tag.digest == digest:
                self.untag(name, key.partition(":")[2])
        write.manifests.delete(in_repository(name, digest))
        refund(self._state, name, entry.size)
        if entry.subject:
            write.referrers.delete(referrer_key(name, entry.subject, digest))

    def untag(self, name: str, tag: str) -> None:
        """Delete a tag, within a transaction. NotFound, Refused where tags must stay."""
        self._state.rules.refuse_change(name, tag)
        if not self._state.write.tags.delete(tag_key(name, tag)):
            raise NotFound("manifest", tag)

    def tags(self, name: str) -> list[str]:
        """Return all tags of a repository in ASCII order; NotFound when there is no such repository."""
        if self._state.read.repositories.find(name) is None:
            raise NotFound("repository", name)
        return [key.partition(":")[2] for key in self._state.read.tags.keys(f"{name}:")]

    def referrers(self, name: str, subject: str) -> list[Descriptor]:
        return [descriptor for _, descriptor in self._state.read.referrers.items(f"{name}@{subject}@")]

    def repositories(self) -> list[str]:
        return self._state.read.repositories.keys()

    def _record(
        self, name: str, entry: ManifestEntry, document: Manifest | Index, target: Descriptor, tags: Sequence[str]
    ) -> None:
        write, key = self._state.write, in_repository(name, target.digest)
        if write.manifests.find(key) is None:
            charge(self._state, name, target.size)
        put(write.manifests, key, entry)
        if entry.subject:
            put(write.referrers, referrer_key(name, entry.subject, target.digest), _referrer(document, target))
        for tag in tags:
            self._tag(name, tag, target.digest)

    def _tag(self, name: str, tag: str, digest: Digest) -> None:
        tags, key = self._state.write.tags, tag_key(name, tag)
        before = tags.find(key)
        if before is not None and before.digest != digest:
            self._state.rules.refuse_change(name, tag)
        put(tags, key, Tag(digest, self._state.clock()))

    def _require_content(self, name: str, document: Manifest | Index) -> None:
        """Refuse a manifest that could not be pulled: what it names must be in this repository."""
        if self._state.rules.sparse:
            return
        index = isinstance(document, Index)
        present: Callable[[str], object] = self._state.write.manifests.find if index else self._state.write.blobs.find
        for digest in _children(document) or _blobs(document):
            if present(in_repository(name, digest)) is None:
                raise Refused(
                    Code.MANIFEST_BLOB_UNKNOWN,
                    f"{'manifest' if index else 'blob'} unknown to registry",
                    detail={"digest": digest},
                )


def _digest_for(reference: str, data: bytes) -> Digest:
    """The digest to keep `data` under: that of the reference, which must then be right, or its sha256."""
    if is_digest(reference):
        algorithm = reference.partition(":")[0]
        actual = f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"
        if actual != reference:
            raise Refused(Code.DIGEST_INVALID, f"provided digest did not match uploaded content, which is {actual}")
        return Digest(reference)
    return Digest(f"sha256:{hashlib.sha256(data).hexdigest()}")


def _check_tags(tags: Sequence[str]) -> None:
    for tag in tags:
        if not is_tag(tag):
            raise Refused(Code.TAG_INVALID, "manifest tag did not match its pattern", detail={"tag": tag[:256]})


def _decode(data: bytes, media_type: str) -> Manifest | Index:
    try:
        return documents.decode(data, media_type)
    except InvalidArgument as error:
        raise Refused(Code.MANIFEST_INVALID, error.message) from error


def _entry(document: Manifest | Index, target: Descriptor, now: float) -> ManifestEntry:
    subject = document.subject.digest if isinstance(document.subject, Descriptor) else None
    if subject is not None and not is_digest(subject):
        raise Refused(Code.MANIFEST_INVALID, "the subject has no valid digest")
    return ManifestEntry(target.media_type, target.size, now, _blobs(document), _children(document), subject)


def _blobs(document: Manifest | Index) -> list[Digest]:
    """What must be served for a manifest; layers that must not be distributed come from elsewhere."""
    if isinstance(document, Index):
        return []
    layers = [layer.digest for layer in document.layers if not (layer.urls or layer.media_type in FOREIGN_LAYERS)]
    return list(dict.fromkeys([document.config.digest, *layers]))


def _children(document: Manifest | Index) -> list[Digest]:
    return [child.digest for child in document.manifests] if isinstance(document, Index) else []


def _referrer(document: Manifest | Index, target: Descriptor) -> Descriptor:
    """The descriptor by which the referrers list shows a manifest."""
    artifact_type = document.artifact_type if isinstance(document.artifact_type, str) else None
    if not artifact_type and isinstance(document, Manifest):
        artifact_type = document.config.media_type
    annotations = document.annotations if isinstance(document.annotations, dict) else None
    return Descriptor(
        media_type=target.media_type,
        digest=target.digest,
        size=target.size,
        artifact_type=artifact_type or None,
        annotations=annotations,
    )
