"""Writing a new image: its configuration and manifest become blobs, and the manifest's descriptor is the image."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from jubako.errors import InvalidArgument
from jubako.spec.oci_image import (
    CONFIG,
    DOCKER_CONFIG,
    DOCKER_INDEX,
    DOCKER_LAYER_GZIP,
    DOCKER_LAYER_TAR,
    DOCKER_MANIFEST,
    INDEX,
    LAYER_GZIP,
    LAYER_TAR,
    MANIFEST,
    Descriptor,
    Digest,
    ImageConfig,
    Index,
    Manifest,
    Platform,
)

if TYPE_CHECKING:
    from jubako.store import Lease, Store

_DOCKER_LAYER = {LAYER_GZIP: DOCKER_LAYER_GZIP, LAYER_TAR: DOCKER_LAYER_TAR}


def write_image(
    store: Store,
    config: ImageConfig,
    layers: Sequence[Descriptor],
    *,
    docker_types: bool = False,
    annotations: Mapping[str, str] | None = None,
    lease: Lease | None = None,
) -> Descriptor:
    """Put `config` and a manifest over `layers` (lowest first) and return the manifest's descriptor.

    The layers must be in the store or about to be; as many as the configuration has diff_ids. `lease` protects what is
    put until a record names it.
    """
    if len(layers) != len(config.rootfs.diff_ids):
        raise InvalidArgument(f"{len(layers)} layers, but {len(config.rootfs.diff_ids)} diff_ids")
    data = msgspec.json.encode(config)
    return write_manifest(
        store, data, layers, docker_types=docker_types, image=config, annotations=annotations, lease=lease
    )


def write_manifest(
    store: Store,
    config: bytes,
    layers: Sequence[Descriptor],
    *,
    docker_types: bool = False,
    image: ImageConfig | None = None,
    annotations: Mapping[str, str] | None = None,
    lease: Lease | None = None,
) -> Descriptor:
    """As write_image, for a configuration that exists as bytes and must keep its digest, the image ID."""
    document = manifest_of(config, layers, docker_types=docker_types, image=image, annotations=annotations)
    if lease is not None:
        # Before they are there: a sweep between the blob and its lease would take it.
        lease.add(describe(config, CONFIG).digest, document.descriptor.digest)
    store.blobs.put(config)
    store.blobs.put(document.data)
    return document.descriptor


class Document(msgspec.Struct, frozen=True):
    """Bytes that are a document, and the descriptor that says so."""

    data: bytes
    descriptor: Descriptor


def manifest_of(
    config: bytes,
    layers: Sequence[Descriptor],
    *,
    docker_types: bool = False,
    image: ImageConfig | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Document:
    """The manifest over `layers`, lowest first; nothing is stored."""
    media_type = DOCKER_MANIFEST if docker_types else MANIFEST
    manifest = Manifest(
        media_type=media_type,
        config=describe(config, DOCKER_CONFIG if docker_types else CONFIG),
        layers=[docker_layer(layer) for layer in layers] if docker_types else list(layers),
        annotations=dict(annotations) if annotations else msgspec.UNSET,
    )
    data = msgspec.json.encode(manifest)
    platform = Platform(architecture=image.architecture, os=image.os, variant=image.variant) if image else None
    return Document(data, describe(data, media_type, platform))


def index_of(
    manifests: Sequence[Descriptor], *, docker_types: bool = False, annotations: Mapping[str, str] | None = None
) -> Document:
    """The index over `manifests`; nothing is stored."""
    media_type = DOCKER_INDEX if docker_types else INDEX
    index = Index(
        media_type=media_type,
        manifests=list(manifests),
        annotations=dict(annotations) if annotations else msgspec.UNSET,
    )
    data = msgspec.json.encode(index)
    return Document(data, describe(data, media_type))


def describe(data: bytes, media_type: str, platform: Platform | None = None) -> Descriptor:
    """The descriptor of a document's bytes."""
    digest = Digest(f"sha256:{hashlib.sha256(data).hexdigest()}")
    return Descriptor(media_type=media_type, digest=digest, size=len(data), platform=platform)


def docker_layer(layer: Descriptor) -> Descriptor:
    """Docker's schema knows its own names for the same bytes; zstd has none and stays as it is."""
    media_type = _DOCKER_LAYER.get(layer.media_type, layer.media_type)
    return Descriptor(media_type=media_type, digest=layer.digest, size=layer.size)
