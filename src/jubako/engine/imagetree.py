"""What an image is for which platform, and what of that is here: for `images --tree`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from jubako.errors import JubakoError
from jubako.image import manifest as documents
from jubako.image import platform as platforms
from jubako.spec.oci_image import Descriptor, Index
from jubako.store.removal import tree_usage

if TYPE_CHECKING:
    from jubako.engine.drivers import Drivers
    from jubako.image.catalog import Image


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One manifest. `content_bytes` are its blobs here, `total_bytes` its unpacked layers as well."""

    digest: str
    platform: str
    in_use: bool = False
    content_bytes: int = 0
    total_bytes: int = 0


def variants(drivers: Drivers, image: Image) -> list[Variant]:
    """All that `image` names: itself, or the children of its index that are images."""
    try:
        document = documents.read(drivers.store, image.target)
    except JubakoError:
        return []
    if not isinstance(document, Index):
        return [_variant(drivers, image.target, platforms.text(image.platform))]
    children = [child for child in document.manifests if child.platform and child.platform.os != "unknown"]
    return [_variant(drivers, child, platforms.text(child.platform)) for child in children if child.platform]


def _variant(drivers: Drivers, target: Descriptor, platform: str) -> Variant:
    try:
        image = drivers.images.load(target)
    except JubakoError:
        return Variant(digest=target.digest, platform=platform)
    blobs = [target.digest, image.id, *(layer.digest for layer in image.manifest.layers)]
    content_bytes = sum(drivers.store.blobs.usage(digest) for digest in dict.fromkeys(blobs))
    unpacked = [diff_id for diff_id in dict.fromkeys(image.diff_ids) if drivers.snapshots.has_layer(diff_id)]
    return Variant(
        digest=target.digest,
        platform=platform,
        in_use=any(record.image_id == image.id for _, record in drivers.containers.items()),
        content_bytes=content_bytes,
        total_bytes=content_bytes + sum(tree_usage(drivers.snapshots.layer_path(diff_id)) for diff_id in unpacked),
    )
