"""What is recorded of an image, and the image as callers see it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from jubako.image import reference
from jubako.spec.oci_image import Descriptor, DiffID, Digest, ImageConfig, Manifest, Platform


class NameRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one name points to (`target`, perhaps an index) and the manifest chosen from it."""

    target: Descriptor
    manifest: Descriptor


class ImageRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    config: ImageConfig
    manifests: dict[str, Manifest]
    names: dict[str, NameRecord] = {}
    nameless: NameRecord | None = None
    """How a dangling image came in; kept so that it can be inspected, tagged and pushed."""


class Image(msgspec.Struct, frozen=True):
    """One image as a name, or its ID, resolved. `id` is the configuration's digest."""

    id: Digest
    names: list[str]
    target: Descriptor
    manifest: Manifest
    manifest_digest: Digest
    config: ImageConfig

    @property
    def diff_ids(self) -> list[DiffID]:
        """Layers, lowest first."""
        return self.config.rootfs.diff_ids

    @property
    def size_bytes(self) -> int:
        """Bytes that the image takes as blobs: configuration and (compressed) layers."""
        return self.manifest.config.size + sum(layer.size for layer in self.manifest.layers)

    @property
    def repo_digests(self) -> list[str]:
        """`repository@digest` for each repository that this image has a name in."""
        repositories = dict.fromkeys(reference.parse(name).familiar_name() for name in self.names)
        return [f"{repository}@{self.target.digest}" for repository in repositories]

    @property
    def repo_tags(self) -> list[str]:
        """Names with a tag, in the form that people read."""
        parsed = (reference.parse(name) for name in self.names)
        return [name.familiar() for name in parsed if name.tag]

    @property
    def platform(self) -> Platform:
        return Platform(architecture=self.config.architecture, os=self.config.os, variant=self.config.variant)


def with_entry(present: ImageRecord | None, image: Image, key: str | None, entry: NameRecord) -> ImageRecord:
    """The record of `image` with `entry` under the name `key`, or as the reason that a dangling one is here."""
    record = present or ImageRecord(image.config, {})
    names = {**record.names, key: entry} if key else record.names
    nameless = None if names else entry
    manifests = {**record.manifests, image.manifest_digest: image.manifest}
    return ImageRecord(image.config, manifests, names, nameless)


def entries(record: ImageRecord) -> Iterator[NameRecord]:
    """Everything that the record points to; at least one."""
    yield from record.names.values()
    if record.nameless:
        yield record.nameless


def image_of(key: str, record: ImageRecord, name: str | None = None) -> Image:
    """The image as `name` has it, or as any of its names has it."""
    entry = record.names[name] if name else next(entries(record))
    digest = entry.manifest.digest
    return Image(Digest(key), list(record.names), entry.target, record.manifests[digest], digest, record.config)


def has_other_tags(record: ImageRecord, removed: str) -> bool:
    """Whether a name remains that keeps the image: digest names of a repository go with its last tag."""
    gone = reference.parse(removed)
    for name in record.names:
        other = reference.parse(name)
        if name != removed and (other.tag or other.name != gone.name or not gone.tag):
            return True
    return False


def content_of(manifest: Manifest) -> Iterator[Digest]:
    """The blobs that an image consists of, besides its manifest."""
    yield manifest.config.digest
    for layer in manifest.layers:
        yield layer.digest
