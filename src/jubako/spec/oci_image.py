"""The OCI image format: descriptors, manifests, indexes and configurations, with their wire names.

Received bytes are kept and hashed as received; these types are for reading them and for writing new documents.
Unknown fields are tolerated.

Spec: OCI image-spec 1.1 (descriptor.md, manifest.md, image-index.md, config.md); Docker schema 2 shares the shapes.
"""

from __future__ import annotations

from typing import NewType

import msgspec

Digest = NewType("Digest", str)
"""`algorithm:hex` of stored (often compressed) bytes. DiffID is the digest of an uncompressed layer tar."""
DiffID = NewType("DiffID", str)

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER_TAR = "application/vnd.oci.image.layer.v1.tar"
LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
# Not to be pushed or pulled; deprecated, but still named by images that exist.
FOREIGN_LAYERS = frozenset(
    {
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    }
)
EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_LAYER_TAR = "application/vnd.docker.image.rootfs.diff.tar"

MANIFEST_TYPES = frozenset({MANIFEST, DOCKER_MANIFEST})
INDEX_TYPES = frozenset({INDEX, DOCKER_INDEX})


class Struct(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", kw_only=True):
    """Base of the image-spec documents: camelCase on the wire, absent when default (kw_only is not inherited)."""


class Platform(Struct, frozen=True, kw_only=True):
    architecture: str
    os: str
    os_version: str | None = msgspec.field(default=None, name="os.version")
    os_features: list[str] | None = msgspec.field(default=None, name="os.features")
    variant: str | None = None


class Descriptor(Struct, frozen=True, kw_only=True):
    """What a blob is (`media_type`), which bytes it is (`digest`) and how many (`size`, bytes)."""

    media_type: str
    digest: Digest
    size: int
    urls: list[str] | None = None
    annotations: dict[str, str] | None = None
    data: str | None = None
    artifact_type: str | None = None
    platform: Platform | None = None


class Manifest(msgspec.Struct, frozen=True, omit_defaults=False, rename="camel", kw_only=True):
    """One image for one platform: its config and its layers, lowest first."""

    schema_version: int = 2
    media_type: str | msgspec.UnsetType = msgspec.UNSET
    artifact_type: str | msgspec.UnsetType = msgspec.UNSET
    config: Descriptor
    layers: list[Descriptor]
    subject: Descriptor | msgspec.UnsetType = msgspec.UNSET
    annotations: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class Index(msgspec.Struct, frozen=True, omit_defaults=False, rename="camel", kw_only=True):
    """Several manifests under one name, usually one for each platform."""

    schema_version: int = 2
    media_type: str | msgspec.UnsetType = msgspec.UNSET
    artifact_type: str | msgspec.UnsetType = msgspec.UNSET
    manifests: list[Descriptor]
    subject: Descriptor | msgspec.UnsetType = msgspec.UNSET
    annotations: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class Healthcheck(msgspec.Struct, frozen=True, omit_defaults=True, rename="pascal", kw_only=True):
    """Docker's extension to the image config; durations in nanoseconds."""

    test: list[str] | None = None
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


class ContainerConfig(msgspec.Struct, frozen=True, omit_defaults=True, rename="pascal", kw_only=True):
    """The `config` object of an image: how a container made from it runs unless told otherwise."""

    user: str = ""
    exposed_ports: dict[str, dict[str, str]] | None = None
    env: list[str] | None = None
    entrypoint: list[str] | None = None
    cmd: list[str] | None = None
    volumes: dict[str, dict[str, str]] | None = None
    working_dir: str = ""
    labels: dict[str, str] | None = None
    stop_signal: str = ""
    args_escaped: bool = False
    healthcheck: Healthcheck | None = None
    shell: list[str] | None = None
    on_build: list[str] | None = None


class RootFS(msgspec.Struct, frozen=True, omit_defaults=False, kw_only=True):
    """`type` is always "layers", and readers want to see it: nothing here is left out when default."""

    type: str = "layers"
    diff_ids: list[DiffID] = msgspec.field(default_factory=list)


class History(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    created: str | None = None
    author: str | None = None
    created_by: str | None = None
    comment: str | None = None
    empty_layer: bool = False


class ImageConfig(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The image configuration document; its digest is the image ID. `cache` is BuildKit's, in base64."""

    created: str | None = None
    author: str | None = None
    architecture: str
    os: str
    os_version: str | None = msgspec.field(default=None, name="os.version")
    variant: str | None = None
    config: ContainerConfig | None = None
    rootfs: RootFS
    history: list[History] | None = None
    cache: str | None = msgspec.field(default=None, name="moby.buildkit.cache.v0")
