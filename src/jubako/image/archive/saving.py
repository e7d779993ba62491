"""`save`: images from the store into an archive that docker, podman and skopeo read.

docker-archive: manifest.json, repositories, and blobs/sha256/… as Docker 25 places them, which older ones follow too.
                Layers go as they are, except zstd, which Docker 20.10 can not read: those go plain.
oci-archive:    an OCI layout in a tar.
Determinism:    the same images give the same bytes; times are zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Literal

import msgspec

from jubako.errors import InvalidArgument
from jubako.image import layout, reference
from jubako.image.archive.docker import MANIFEST
from jubako.image.catalog import Image, Images
from jubako.image.layer.codec import decompressed
from jubako.image.layer.tar import DIRECTORY, Entry, Writer
from jubako.spec.oci_image import LAYER_ZSTD, Descriptor, DiffID, Digest, Platform
from jubako.store import Store

_PIECE_BYTES = 1 << 20


class _Item(msgspec.Struct, rename="pascal"):
    config: str
    repo_tags: list[str]
    layers: list[str]


def save(
    store: Store,
    images: Images,
    names: Sequence[str],
    out: BinaryIO,
    *,
    format: Literal["docker-archive", "oci-archive"] = "docker-archive",
    platform: Platform | None = None,
) -> None:
    """Write the images called `names` (names or IDs) to `out`, each layer once. Raises NotFound before it writes.

    With `platform`, of what is for several platforms that one alone.
    """
    if format not in ("docker-archive", "oci-archive"):
        raise InvalidArgument(f"unknown archive format {format!r}", hint="docker-archive or oci-archive")
    with store.leases.hold("save") as lease:
        saver = _Saver(store, out)
        if format == "oci-archive":
            document = layout.content(store, images, names, platform)
            lease.add(*document.blobs)
            saver.oci(document)
        else:
            selected = [pair for text in names for pair in images.select(text)]
            found = [(images.of_platform(image, platform), name) for image, name in selected]
            for image, _ in found:
                lease.add(image.manifest.config.digest, *(layer.digest for layer in image.manifest.layers))
            saver.docker(found)


def save_layout(store: Store, document: layout.Content, out: BinaryIO) -> None:
    """An oci-archive of what a layout consists of; the caller's lease holds it."""
    _Saver(store, out).oci(document)


def save_docker(store: Store, found: Sequence[tuple[Image, str | None]], out: BinaryIO) -> None:
    """A docker-archive of stored images, each under a name or none; the caller's lease holds them."""
    _Saver(store, out).docker(found)


class _Saver:
    def __init__(self, store: Store, out: BinaryIO) -> None:
        self._store = store
        self._writer = Writer(out.write)
        self._done: set[str] = set()

    def oci(self, document: layout.Content) -> None:
        for digest in document.blobs:
            self._blob(digest)
        self._file("index.json", document.index)
        self._file("oci-layout", layout.LAYOUT)
        self._writer.finish()

    def docker(self, found: Sequence[tuple[Image, str | None]]) -> None:
        items: dict[Digest, _Item] = {}
        for image, name in found:
            self._blob(image.id)
            item = items.setdefault(image.id, _Item(layout.blob_name(image.id), [], self._layers(image)))
            tag = reference.parse(name).familiar() if name and "@" not in name else None
            if tag and tag not in item.repo_tags:
                item.repo_tags.append(tag)
        self._file(MANIFEST, msgspec.json.encode(list(items.values())))
        repositories = _repositories(list(items.values()))
        if repositories:
            self._file("repositories", msgspec.json.encode(repositories, order="sorted"))
        self._writer.finish()

    def _layers(self, image: Image) -> list[str]:
        pairs = zip(image.manifest.layers, image.diff_ids, strict=True)
        return [self._layer(layer, diff_id) for layer, diff_id in pairs]

    def _layer(self, layer: Descriptor, diff_id: DiffID) -> str:
        if layer.media_type != LAYER_ZSTD:
            return self._blob(layer.digest)
        path = layout.blob_name(diff_id)
        if self._begin(path):
            size = sum(len(chunk) for chunk in self._plain(layer))
            self._writer.add(Entry(path.encode(), size=size))
            for chunk in self._plain(layer):
                self._writer.write(chunk)
        return path

    def _plain(self, layer: Descriptor) -> Iterator[bytes]:
        with self._store.blobs.open(layer.digest) as stream:
            yield from decompressed(stream)

    def _blob(self, digest: Digest) -> str:
        path = layout.blob_name(digest)
        if self._begin(path):
            with self._store.blobs.open(digest) as stream:
                self._writer.add(Entry(path.encode(), size=self._store.blobs.stat(digest).size))
                while piece := stream.read(_PIECE_BYTES):
                    self._writer.write(piece)
        return path

    def _begin(self, path: str) -> bool:
        """Write the directories above `path`, once each; False if the file itself was written before."""
        parts = path.split("/")
        for end in range(1, len(parts)):
            directory = "/".join(parts[:end]) + "/"
            if directory not in self._done:
                self._done.add(directory)
                self._writer.add(Entry(directory.encode(), DIRECTORY, 0o755))
        new = path not in self._done
        self._done.add(path)
        return new

    def _file(self, name: str, data: bytes) -> None:
        self._writer.add(Entry(name.encode(), size=len(data)), data)


def _repositories(items: Sequence[_Item]) -> dict[str, dict[str, str]]:
    """What Docker before 1.10 read: repository, tag, top layer."""
    found: dict[str, dict[str, str]] = {}
    for item in items:
        for tag in item.repo_tags:
            repository, _, name = tag.rpartition(":")
            found.setdefault(repository, {})[name] = item.layers[-1].rpartition("/")[2] if item.layers else ""
    return found
