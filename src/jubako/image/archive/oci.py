"""Images in an OCI layout, in a directory or a tar: index.json names manifests and indexes, everything is a blob.

What is not in the layout (other platforms of an index) is left out; what is needed for this machine must be there.
Spec: OCI image-spec, image-layout.md.
"""

from __future__ import annotations

import hashlib

from jubako.errors import DataLoss, InvalidArgument, JubakoError, NotFound
from jubako.image import manifest as documents
from jubako.image import platform, reference
from jubako.image.archive.docker import Loaded
from jubako.image.archive.importing import Importer, LayerFile
from jubako.image.layout import blob_name
from jubako.spec.oci_image import INDEX_TYPES, MANIFEST_TYPES, Descriptor, Index, Manifest, Platform

LAYOUT, INDEX = "oci-layout", "index.json"
FULL_NAME, REF_NAME = "io.containerd.image.name", "org.opencontainers.image.ref.name"
_NESTING_LIMIT = 4


def load(importer: Importer, wanted: Platform | None = None) -> list[Loaded]:
    """Bring in every image that index.json names, of indexes only the one for `wanted` if that is given."""
    document = documents.decode(importer.files.read(INDEX, documents.DOCUMENT_LIMIT_BYTES))
    if not isinstance(document, Index):
        raise InvalidArgument(f"the layout's {INDEX} is not an index")
    loaded = []
    for entry in document.manifests:
        if entry.media_type in INDEX_TYPES | MANIFEST_TYPES:
            target = _chosen(importer, _target(entry), wanted) if wanted else _target(entry)
            _bring(importer, target, 0)
            loaded.append(Loaded(target, _names(entry)))
    return loaded


def _chosen(importer: Importer, target: Descriptor, wanted: Platform) -> Descriptor:
    """The manifest for a platform; NotFound where there is none."""
    for _ in range(_NESTING_LIMIT):
        document = documents.decode(_read(importer, target), target.media_type)
        if isinstance(document, Manifest):
            break
        target = platform.select(document, wanted)
    return target


def _bring(importer: Importer, target: Descriptor, depth: int, *, announce: bool = True) -> None:
    """A manifest or index with all that hangs on it, leaves first: what is in the store is complete."""
    if depth > _NESTING_LIMIT:
        raise InvalidArgument(f"indexes nested more than {_NESTING_LIMIT} deep")
    data = _read(importer, target)
    document = documents.decode(data, target.media_type)
    if isinstance(document, Manifest):
        _bring_content(importer, document, announce)
    else:
        chosen = _for_host(importer, document)
        for child in document.manifests:
            if blob_name(child.digest) in importer.files:
                _bring(importer, child, depth + 1, announce=announce and child is chosen)
    importer.put(data, target.digest)


def _bring_content(importer: Importer, manifest: Manifest, announce: bool) -> None:
    if not all(layer.media_type in documents.LAYER_TYPES for layer in manifest.layers):
        # An artifact (a signature, an attestation): kept, never unpacked.
        for blob in (manifest.config, *manifest.layers):
            importer.blob(blob_name(blob.digest), blob)
        return
    config = documents.decode_config(
        importer.files.read(blob_name(manifest.config.digest), documents.CONFIG_LIMIT_BYTES)
    )
    if len(config.rootfs.diff_ids) != len(manifest.layers):
        raise InvalidArgument("an image in the layout has not as many layers as its configuration says")
    importer.layers(
        [
            LayerFile(blob_name(layer.digest), diff_id, layer)
            for layer, diff_id in zip(manifest.layers, config.rootfs.diff_ids, strict=True)
        ],
        announce=announce,
    )
    importer.blob(blob_name(manifest.config.digest), manifest.config)


def _for_host(importer: Importer, index: Index) -> Descriptor | None:
    """What of the index this machine runs, if anything; it must be in the layout."""
    try:
        chosen = platform.select(index)
    except NotFound:
        return None
    if blob_name(chosen.digest) not in importer.files:
        raise DataLoss(f"the layout has not the image for {platform.text(platform.host())}: {chosen.digest}")
    return chosen


def _read(importer: Importer, target: Descriptor) -> bytes:
    data = importer.files.read(blob_name(target.digest), documents.DOCUMENT_LIMIT_BYTES)
    algorithm = target.digest.partition(":")[0]
    if f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}" != target.digest or len(data) != target.size:
        raise DataLoss(f"the layout is corrupt: {target.digest} does not match its digest")
    return data


def _names(entry: Descriptor) -> list[str]:
    """Under which name the image was saved. A bare tag (`latest`) says nothing about the repository."""
    annotations = entry.annotations or {}
    text = annotations.get(FULL_NAME) or annotations.get(REF_NAME, "")
    if not any(mark in text for mark in ":/@"):
        return []
    try:
        return [str(reference.parse(text))]
    except JubakoError:
        return []


def _target(entry: Descriptor) -> Descriptor:
    """Without the annotations, which are the layout's and not the image's."""
    return Descriptor(media_type=entry.media_type, digest=entry.digest, size=entry.size, platform=entry.platform)
