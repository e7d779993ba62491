"""Reading the documents of an image: manifests, indexes and configurations, all hostile until decoded here.

Invariants: what is returned is one kind of document (CVE-2021-41190), its media type is the one it was served as, and
            every digest in it is well formed, so that it can become a path.
Limits:     4 MB for a manifest or index, 8 MB for a configuration.
Spec:       OCI image-spec manifest.md, image-index.md, config.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from jubako.errors import DataLoss, InvalidArgument
from jubako.image import platform, reference
from jubako.spec import decoding
from jubako.spec.oci_image import (
    DOCKER_LAYER_GZIP,
    DOCKER_LAYER_TAR,
    INDEX_TYPES,
    LAYER_GZIP,
    LAYER_TAR,
    LAYER_ZSTD,
    MANIFEST,
    MANIFEST_TYPES,
    Descriptor,
    Digest,
    ImageConfig,
    Index,
    Manifest,
    Platform,
)

if TYPE_CHECKING:
    from jubako.store import Store

DOCUMENT_LIMIT_BYTES = 4 << 20
CONFIG_LIMIT_BYTES = 8 << 20
LAYER_TYPES = frozenset({LAYER_TAR, LAYER_GZIP, LAYER_ZSTD, DOCKER_LAYER_GZIP, DOCKER_LAYER_TAR})
MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are not the document they should be."""
_LAYERS_LIMIT = 1024
_NESTING_LIMIT = 4

T = TypeVar("T")


def media_type_of(manifest: Manifest) -> str:
    """What a manifest is called; OCI's may leave that to its descriptor."""
    return manifest.media_type if isinstance(manifest.media_type, str) else MANIFEST


def held_by_registries(manifest: Manifest) -> list[Descriptor]:
    """The configuration and the layers, but no foreign ones: those come from where they say."""
    return [blob for blob in (manifest.config, *manifest.layers) if not blob.urls]


_ABSENT = msgspec.Raw()


class _Shape(msgspec.Struct, rename="camel"):
    """Just enough of a document to say which kind it is."""

    media_type: str = ""
    schema_version: int = 2
    manifests: msgspec.Raw = _ABSENT
    layers: msgspec.Raw = _ABSENT
    fs_layers: msgspec.Raw = _ABSENT
    config: msgspec.Raw = _ABSENT

    def has(self, field: str) -> bool:
        return bytes(getattr(self, field)) not in (b"", b"null")


def decode(data: bytes, media_type: str = "") -> Manifest | Index:
    """Read a manifest or an index that was served as `media_type` (empty when nobody said). Raises InvalidArgument."""
    _limit(data, DOCUMENT_LIMIT_BYTES, "manifest")
    shape = _decode(data, _Shape, "manifest")
    _refuse_confusion(shape, media_type)
    if shape.has("manifests"):
        index = _decode(data, Index, "index")
        _check_descriptors(index.manifests)
        return index
    manifest = _decode(data, Manifest, "manifest")
    if len(manifest.layers) > _LAYERS_LIMIT:
        raise InvalidArgument(f"the manifest has {len(manifest.layers)} layers; at most {_LAYERS_LIMIT} are allowed")
    _check_descriptors([manifest.config, *manifest.layers])
    return manifest


def is_schema_1(data: bytes) -> bool:
    """Whether this is a manifest of Docker's first form, which nothing here reads."""
    try:
        return _is_schema_1(_decode(data, _Shape, "manifest"))
    except InvalidArgument:
        return False


def decode_config(data: bytes) -> ImageConfig:
    """Read an image configuration. Raises InvalidArgument."""
    _limit(data, CONFIG_LIMIT_BYTES, "image configuration")
    config = _decode(data, ImageConfig, "image configuration")
    for diff_id in config.rootfs.diff_ids:
        _check_digest(diff_id)
    return config


def read(store: Store, target: Descriptor) -> Manifest | Index:
    """The stored document that `target` names; DataLoss if it is not what the descriptor says."""
    return decode(_read(store, target, DOCUMENT_LIMIT_BYTES), target.media_type)


def read_config(store: Store, target: Descriptor) -> ImageConfig:
    return decode_config(_read(store, target, CONFIG_LIMIT_BYTES))


def resolve(store: Store, target: Descriptor, wanted: Platform | None = None) -> tuple[Descriptor, Manifest]:
    """Follow `target` through indexes to the manifest for `wanted` (or this machine)."""
    for _ in range(_NESTING_LIMIT):
        document = read(store, target)
        if isinstance(document, Manifest):
            return target, document
        target = platform.select(document, wanted)
    raise InvalidArgument(f"indexes nested more than {_NESTING_LIMIT} deep")


def _read(store: Store, target: Descriptor, limit: int) -> bytes:
    data = store.blobs.read(target.digest, limit=limit)
    if len(data) != target.size:
        raise DataLoss(f"{target.digest} has {len(data)} bytes, its descriptor says {target.size}")
    return data


def _refuse_confusion(shape: _Shape, served_as: str) -> None:
    if _is_schema_1(shape):
        raise InvalidArgument("the image uses Docker manifest schema 1, which is no longer supported")
    is_index, is_manifest = shape.has("manifests"), shape.has("layers") or shape.has("config")
    if is_index == is_manifest:
        kind = "is both a manifest and an index" if is_index else "is neither a manifest nor an index"
        raise InvalidArgument(f"the document {kind}")
    if served_as and shape.media_type and served_as != shape.media_type:
        raise InvalidArgument(f"the document says it is {shape.media_type} but was served as {served_as}")
    known = INDEX_TYPES if is_index else MANIFEST_TYPES
    wrong = MANIFEST_TYPES if is_index else INDEX_TYPES
    for name in (shape.media_type, served_as):
        if name in wrong or (name and name not in known and name in LAYER_TYPES):
            raise InvalidArgument(f"the document is {'an index' if is_index else 'a manifest'} but is called {name}")


def _is_schema_1(shape: _Shape) -> bool:
    return shape.has("fs_layers") or shape.schema_version == 1


def _decode(data: bytes, kind: type[T], what: str) -> T:
    try:
        return decoding.decode(data, kind)
    except msgspec.ValidationError as error:
        return _decode_without_nulls(data, kind, what, error)
    except MALFORMED as error:
        raise InvalidArgument(f"the {what} is not valid JSON: {error}") from error


def _decode_without_nulls(data: bytes, kind: type[T], what: str, first: msgspec.ValidationError) -> T:
    """Go writes and accepts null for any absent field, so a null that a type refuses counts as absent."""
    try:
        return msgspec.convert(_without_nulls(msgspec.json.decode(data)), decoding.known(kind))
    except MALFORMED:
        raise InvalidArgument(f"the {what} is malformed: {first}") from first


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _check_descriptors(descriptors: Iterable[Descriptor]) -> None:
    for descriptor in descriptors:
        _check_digest(descriptor.digest)
        if descriptor.size < 0:
            raise InvalidArgument(f"{descriptor.digest} has a negative size")


def _check_digest(digest: Digest | str) -> None:
    if not reference.is_digest(digest):
        raise InvalidArgument(f"{digest[:100]!r} is not a digest")


def _limit(data: bytes, limit: int, what: str) -> None:
    if len(data) > limit:
        raise InvalidArgument(f"the {what} is larger than {limit >> 20} MB")
