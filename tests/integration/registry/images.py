"""Images that are small enough to make for each test, and what must be left where one did not arrive."""

from __future__ import annotations

import gzip
import io
import tarfile

import msgspec

from jubako.image.catalog import Image, Images
from jubako.spec.oci_image import (
    CONFIG,
    INDEX,
    LAYER_GZIP,
    MANIFEST,
    Descriptor,
    DiffID,
    ImageConfig,
    Index,
    Manifest,
    Platform,
    RootFS,
)
from jubako.store import Store

from .peer import digest_of


def layer(content: bytes) -> tuple[bytes, DiffID]:
    """A gzip layer with one file, and its diff_id."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        info = tarfile.TarInfo("file")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), 1, mtime=0), DiffID(digest_of(plain.getvalue()))


def make_image(store: Store, name: str, *contents: bytes) -> Image:
    """An image of one layer for each content, recorded as `name`."""
    images = Images(store)
    images.put(name, make_manifest(store, *contents))
    return images.resolve(name)


def make_manifest(store: Store, *contents: bytes, architecture: str = "amd64") -> Descriptor:
    layers, diff_ids = [], []
    for content in contents:
        data, diff_id = layer(content)
        layers.append(put(store, LAYER_GZIP, data))
        diff_ids.append(diff_id)
    config = ImageConfig(architecture=architecture, os="linux", rootfs=RootFS(diff_ids=diff_ids))
    described = put(store, CONFIG, msgspec.json.encode(config))
    return put(store, MANIFEST, msgspec.json.encode(Manifest(media_type=MANIFEST, config=described, layers=layers)))


def make_index(store: Store, **contents: bytes) -> Descriptor:
    """An index with a one-layer image for each architecture."""
    entries = []
    for architecture, content in contents.items():
        target = make_manifest(store, content, architecture=architecture)
        platform = Platform(architecture=architecture, os="linux")
        entries.append(msgspec.structs.replace(target, platform=platform))
    return put(store, INDEX, msgspec.json.encode(Index(media_type=INDEX, manifests=entries)))


def put(store: Store, media_type: str, data: bytes) -> Descriptor:
    info = store.blobs.put(data)
    return Descriptor(media_type=media_type, digest=info.digest, size=info.size)


def nothing_is_left(store: Store) -> None:
    """No image, no blob with a wrong name, no temporary file."""
    assert Images(store).list() == []
    for digest in store.blobs:
        assert digest_of(store.blobs.read(digest, limit=1 << 30)) == digest
    assert not list((store.root / "ingest").iterdir())
