"""`load`: images from an archive or layout into the store and the catalog."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from jubako.errors import InvalidArgument
from jubako.image.archive import docker, oci
from jubako.image.archive.files import Files, opened
from jubako.image.archive.importing import Importer, OnLayer
from jubako.image.catalog import Image, Images
from jubako.image.progress import SILENT, Progress
from jubako.spec.oci_image import Platform
from jubako.store import Store


def load(
    store: Store,
    source: BinaryIO | Path,
    images: Images,
    *,
    progress: Progress | None = None,
    on_layer: OnLayer | None = None,
    ready: Callable[[], None] | None = None,
    platform: Platform | None = None,
) -> list[Image]:
    """Bring in all images of `source` and record them under the names that they were saved with.

    `source` is a docker-archive or oci-archive, plain or compressed, from a path or a stream (a pipe will do), or the
    path of an OCI layout directory. Either all images are recorded or none. InvalidArgument if it is something else,
    DataLoss if it is truncated or corrupt. `on_layer` hears of each layer as soon as it can be unpacked;
    `ready` is called when all are read, and only if it returns are the images recorded. With `platform` only what is
    for that is brought in; NotFound where some image is not.
    """
    with store.leases.hold("load") as lease, opened(store, source) as files:
        importer = Importer(store, files, lease, progress or SILENT, on_layer)
        loaded = oci.load(importer, platform) if _is_layout(files) else docker.load(importer)
        for item in loaded if platform else ():
            images.of_platform(images.load(item.target, platform), platform)
        if ready:
            ready()
        with store.records.transaction():
            return [_record(images, item) for item in loaded]


def _is_layout(files: Files) -> bool:
    """Docker 25 and later write both forms; the layout keeps the manifests as they were."""
    if oci.LAYOUT in files and oci.INDEX in files:
        return True
    if docker.MANIFEST in files:
        return False
    if "repositories" in files:
        raise InvalidArgument(
            "the archive was saved by Docker before 1.10", hint="load it there and save it again with a newer version"
        )
    raise InvalidArgument("the file is not an image archive: it has neither manifest.json nor index.json")


def _record(images: Images, item: docker.Loaded) -> Image:
    """The image under the names that it has in the archive; the same image may have others here."""
    names = list(dict.fromkeys(item.names))
    for name in names or (None,):
        images.put(name, item.target)
    return msgspec.structs.replace(images.load(item.target), names=names)
