"""OCI layouts out: which blobs an image takes along, and the documents around them.

An index goes whole when all it names is here; otherwise only the manifest of the platform that is.
Spec: OCI image-spec, image-layout.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from jubako.errors import AlreadyExists
from jubako.image import manifest as documents
from jubako.image import reference
from jubako.image.catalog import Image, Images
from jubako.spec.oci_image import INDEX, Descriptor, Digest, Manifest, Platform
from jubako.spec.oci_image import Index as IndexDocument
from jubako.store import Store
from jubako.store import digest as digests
from jubako.store.failure import explained

LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
FULL_NAME, REF_NAME = "io.containerd.image.name", "org.opencontainers.image.ref.name"
_PIECE_BYTES = 1 << 20


class Content(msgspec.Struct, frozen=True):
    """What a layout of some images consists of: its index.json, and its blobs in a fixed order."""

    index: bytes
    blobs: list[Digest]


def content(store: Store, images: Images, names: Sequence[str], platform: Platform | None = None) -> Content:
    """The layout of the images called `names` (names or IDs), or of their manifests for `platform`. NotFound."""
    found = [pair for text in names for pair in images.select(text)]
    if platform:
        chosen = [(images.of_platform(image, platform), name) for image, name in found]
        return content_of(store, [(_manifest(store, image), name) for image, name in chosen])
    return content_of(store, [(_whole_or_manifest(store, image), name) for image, name in found])


def content_of(store: Store, targets: Sequence[tuple[Descriptor, str | None]]) -> Content:
    """The layout of stored manifests or indexes, each with the name that it is to carry."""
    blobs = dict.fromkeys(digest for target, _ in targets for digest in _walk(store, target))
    entries = [_entry(target, name) for target, name in targets]
    index = msgspec.json.encode(IndexDocument(media_type=INDEX, manifests=entries))
    return Content(index, sorted(blobs))


def export(store: Store, images: Images, names: Sequence[str], directory: Path) -> None:
    """Write the images as an OCI layout into `directory`, which is made; AlreadyExists if it has an index."""
    write(store, content(store, images, names), directory)


def write(store: Store, document: Content, directory: Path) -> None:
    """As export(), for what content_of() gave."""
    with explained("write to", directory):
        directory.mkdir(parents=True, exist_ok=True)
        if (directory / "index.json").exists():
            raise AlreadyExists("layout", str(directory))
        for digest in document.blobs:
            _copy(store, digest, blob_path(directory, digest))
        (directory / "oci-layout").write_bytes(LAYOUT)
        (directory / "index.json").write_bytes(document.index)


def blob_name(digest: str) -> str:
    """The name of a blob in an archive of a layout."""
    return f"blobs/{digest.replace(':', '/', 1)}"


def blob_path(directory: Path, digest: str) -> Path:
    """Where a layout has a blob. Raises what digest.split() does, so that no path is made of another thing."""
    return directory.joinpath("blobs", *digests.split(digest))


def _entry(target: Descriptor, name: str | None) -> Descriptor:
    if name is None:
        return target
    annotations = {**(target.annotations or {}), FULL_NAME: name, REF_NAME: reference.parse(name).tag or name}
    return msgspec.structs.replace(target, annotations=annotations)


def _whole_or_manifest(store: Store, image: Image) -> Descriptor:
    """The target if all of it is in the store, or else the one manifest that the image is."""
    if all(store.blobs.exists(digest) for digest in _walk(store, image.target)):
        return image.target
    return _manifest(store, image)


def _manifest(store: Store, image: Image) -> Descriptor:
    return Descriptor(
        media_type=documents.media_type_of(image.manifest),
        digest=image.manifest_digest,
        size=store.blobs.stat(image.manifest_digest).size,
        platform=image.platform,
    )


def _walk(store: Store, target: Descriptor) -> Iterable[Digest]:
    yield target.digest
    if not store.blobs.exists(target.digest):
        return
    document = documents.read(store, target)
    if isinstance(document, Manifest):
        yield document.config.digest
        yield from (layer.digest for layer in document.layers)
    else:
        for child in document.manifests:
            yield from _walk(store, child)


def _copy(store: Store, digest: Digest, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with store.blobs.open(digest) as source, path.open("wb") as target:
        while data := source.read(_PIECE_BYTES):
            target.write(data)
