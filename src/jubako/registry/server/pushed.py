"""What a pushed manifest is, hostile until checked here: its digest, what it names, how others will find it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from jubako.errors import InvalidArgument
from jubako.image import manifest as documents
from jubako.image.reference import is_digest
from jubako.registry.server.documents import ManifestEntry
from jubako.registry.server.refusal import Refused
from jubako.spec.distribution import DOCUMENT_TYPES, Code, is_tag
from jubako.spec.oci_image import FOREIGN_LAYERS, Descriptor, Digest, Index, Manifest


def digest_for(reference: str, data: bytes) -> Digest:
    """The digest to keep `data` under: that of the reference, which must then be right, or its sha256."""
    if is_digest(reference):
        algorithm = reference.partition(":")[0]
        actual = f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"
        if actual != reference:
            raise Refused(Code.DIGEST_INVALID, f"provided digest did not match uploaded content, which is {actual}")
        return Digest(reference)
    return Digest(f"sha256:{hashlib.sha256(data).hexdigest()}")


def check_tags(tags: Sequence[str]) -> None:
    for tag in tags:
        if not is_tag(tag):
            raise Refused(Code.TAG_INVALID, "manifest tag did not match its pattern", detail={"tag": tag[:256]})


def decode(data: bytes, media_type: str) -> Manifest | Index:
    try:
        return documents.decode(data, media_type)
    except InvalidArgument as error:
        raise Refused(Code.MANIFEST_INVALID, error.message) from error


def entry_of(document: Manifest | Index, target: Descriptor, now: float) -> ManifestEntry:
    subject = document.subject.digest if isinstance(document.subject, Descriptor) else None
    if subject is not None and not is_digest(subject):
        raise Refused(Code.MANIFEST_INVALID, "the subject has no valid digest")
    return ManifestEntry(target.media_type, target.size, now, blobs_of(document), children_of(document), subject)


def blobs_of(document: Manifest | Index) -> list[Digest]:
    """What must be served for a manifest; layers that must not be distributed come from elsewhere.

    An index has none, but for BuildKit's caches: those are indexes of layers.
    """
    if isinstance(document, Index):
        return [child.digest for child in document.manifests if child.media_type not in DOCUMENT_TYPES]
    layers = [layer.digest for layer in document.layers if not (layer.urls or layer.media_type in FOREIGN_LAYERS)]
    return list(dict.fromkeys([document.config.digest, *layers]))


def children_of(document: Manifest | Index) -> list[Digest]:
    if not isinstance(document, Index):
        return []
    return [child.digest for child in document.manifests if child.media_type in DOCUMENT_TYPES]


def referrer_of(document: Manifest | Index, target: Descriptor) -> Descriptor:
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
