"""What refers to a manifest: signatures, bills of materials and other artifacts whose subject it is.

Fallback: a registry that has no referrers API keeps the list as an index under the tag ALGORITHM-HEX, and clients keep
          it up to date: two that write at once can lose one entry, as the specification concedes.
Spec:     OCI distribution-spec 1.1, "Listing Referrers" and "Pushing Manifests with Subject".
"""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from jubako.errors import InvalidArgument, NotFound
from jubako.image import manifest as documents
from jubako.registry.client.repository import Repository, digest_of
from jubako.spec.oci_image import INDEX, MANIFEST_TYPES, Descriptor, Digest, Index, Manifest


def referrers(repository: Repository, subject: Digest, artifact_type: str = "") -> list[Descriptor]:
    """Everything whose subject is `subject`, or what of it has `artifact_type`; nothing for one that is not there."""
    found = _by_api(repository, subject, artifact_type)
    if found is None:
        found = _by_tag(repository, subject)
    return [entry for entry in found if not artifact_type or entry.artifact_type == artifact_type]


def announce(repository: Repository, subject: Descriptor, referrer: Descriptor) -> None:
    """Add `referrer` to the list under the fallback tag; only for a registry that did not do it by itself."""
    known = _by_tag(repository, subject.digest)
    if any(entry.digest == referrer.digest for entry in known):
        return
    data = msgspec.json.encode(Index(media_type=INDEX, manifests=[*known, referrer]))
    repository.put_manifest(fallback_tag(subject.digest), INDEX, data)


def put_with_subject(repository: Repository, reference: str, media_type: str, data: bytes) -> None:
    """Put a manifest, and see to it that it is listed with its subject, if it has one."""
    listed = repository.put_manifest(reference, media_type, data)
    document = documents.decode(data, media_type)
    if isinstance(document.subject, Descriptor) and not listed:
        announce(repository, document.subject, describe(digest_of(data), media_type, data, document))


def describe(digest: Digest, media_type: str, data: bytes, document: Manifest | Index) -> Descriptor:
    """The entry of a list of referrers: with the artifact type (or the configuration's) and the annotations."""
    artifact_type = document.artifact_type if isinstance(document.artifact_type, str) else None
    if artifact_type is None and isinstance(document, Manifest):
        artifact_type = document.config.media_type
    annotations = document.annotations if isinstance(document.annotations, dict) else None
    return Descriptor(
        media_type=media_type, digest=digest, size=len(data), annotations=annotations, artifact_type=artifact_type
    )


def fallback_tag(subject: Digest) -> str:
    return subject.replace(":", "-", 1)[:128]


def _by_api(repository: Repository, subject: Digest, artifact_type: str) -> list[Descriptor] | None:
    """None where the registry does not know the call."""
    path = f"referrers/{subject}" + (f"?artifactType={quote(artifact_type, safe='')}" if artifact_type else "")
    found: list[Descriptor] = []
    for response, data in repository.pages(path, expect=(200, 404, 405)):
        if response.status != 200 or response.headers.get("Content-Type", "").partition(";")[0] != INDEX:
            return None
        found += _entries(data)
    return found


def _by_tag(repository: Repository, subject: Digest) -> list[Descriptor]:
    try:
        target, data = repository.manifest(fallback_tag(subject))
    except NotFound:
        return []
    return [] if target.media_type in MANIFEST_TYPES else _entries(data)


def _entries(data: bytes) -> list[Descriptor]:
    document = documents.decode(data, INDEX)
    if not isinstance(document, Index):
        raise InvalidArgument("the list of referrers is not an index")
    return document.manifests
