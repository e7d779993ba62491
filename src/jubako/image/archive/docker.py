"""Images in Docker's own archive: manifest.json names each image's configuration, layers and tags.

Layouts: `docker save` up to 24 (a directory per layer, links for repeated ones), from 25 on (blobs/sha256/…), podman,
         buildah, skopeo, kaniko, bazel: all have manifest.json, and nothing else here is looked at.
Spec:    Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format".
"""

from __future__ import annotations

import hashlib
import re

import msgspec

from jubako.errors import DataLoss, InvalidArgument
from jubako.image import compose, reference
from jubako.image import manifest as documents
from jubako.image.archive.importing import Importer, LayerFile
from jubako.spec import decoding
from jubako.spec.oci_image import Descriptor, Digest

MANIFEST = "manifest.json"
_CONTENT_NAME = re.compile(r"blobs/sha256/([0-9a-f]{64})", re.ASCII)


class Item(msgspec.Struct, rename="pascal", frozen=True):
    config: str
    layers: list[str] | None = None
    repo_tags: list[str] | None = None


class Loaded(msgspec.Struct, frozen=True):
    """An image whose blobs are in the store, to be recorded under `names`, or as dangling."""

    target: Descriptor
    names: list[str]


def load(importer: Importer) -> list[Loaded]:
    """Bring in every image of the archive."""
    data = importer.files.read(MANIFEST, documents.DOCUMENT_LIMIT_BYTES)
    try:
        items = decoding.decode(data, list[Item])
    except documents.MALFORMED as error:
        raise InvalidArgument(f"the archive's {MANIFEST} is malformed: {error}") from error
    return [_load_one(importer, item) for item in items]


def _load_one(importer: Importer, item: Item) -> Loaded:
    names = [str(reference.parse(tag)) for tag in item.repo_tags or []]
    data = importer.files.read(item.config, documents.CONFIG_LIMIT_BYTES)
    _verify_name(item.config, data)
    config = documents.decode_config(data)
    files = item.layers or []
    if len(files) != len(config.rootfs.diff_ids):
        raise InvalidArgument(
            f"the archive lists {len(files)} layers for an image, its configuration {len(config.rootfs.diff_ids)}"
        )
    layers = [LayerFile(name, diff_id) for name, diff_id in zip(files, config.rootfs.diff_ids, strict=True)]
    descriptors = importer.layers(layers)
    importer.put(data, Digest(f"sha256:{hashlib.sha256(data).hexdigest()}"))
    target = compose.manifest_of(data, descriptors, image=config)
    importer.put(target.data, target.descriptor.digest)
    return Loaded(target.descriptor, names)


def _verify_name(name: str, data: bytes) -> None:
    """A name that is a digest must be right; other names promise nothing."""
    match = _CONTENT_NAME.fullmatch(name)
    if match and hashlib.sha256(data).hexdigest() != match.group(1):
        raise DataLoss(f"the archive is corrupt: {name} does not match its digest")
