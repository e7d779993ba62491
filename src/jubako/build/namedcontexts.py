"""`--build-context NAME=PLACE`: places besides the context that FROM, COPY --from and mounts can name.

A place is a directory, whatever can be a context itself (a git repository, an archive at a URL), an image
(`docker-image://`) or an OCI layout on disk (`oci-layout://PATH[:TAG][@DIGEST]`). A name given here wins over a stage
or an image that is called so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from jubako.build import context as contexts
from jubako.build.files.hashes import FileHashes
from jubako.build.files.tree import Tree
from jubako.build.graph.bench import Bench
from jubako.build.graph.copy import Copy, CopySpec
from jubako.build.graph.filesystem import Filesystem, FsVertex
from jubako.build.graph.source import Base
from jubako.build.graph.vertex import Vertex
from jubako.build.remotecontext import fetched, is_remote
from jubako.build.sources.login import Access
from jubako.errors import InvalidArgument, NotFound

if TYPE_CHECKING:
    from jubako.image.catalog import Image, Images

FindImage = Callable[[str], "Image"]
_IMAGE, _LAYOUT = "docker-image://", "oci-layout://"


class NamedContexts:
    """The named contexts of one build; what they open is let go of with `stack`."""

    def __init__(
        self, given: Mapping[str, str], bench: Bench, images: Images, stack: ExitStack, access: Access
    ) -> None:
        self._given = {_plain(name): place for name, place in given.items()}
        self._bench = bench
        self._images = images
        self._stack = stack
        self._access = access
        self._vertices: dict[str, FsVertex] = {}

    def image(self, name: str, find_image: FindImage) -> Image | None:
        """The image that is meant by `name`, if it is a named context and that is an image."""
        place = self._given.get(_plain(name), "")
        if place.startswith(_IMAGE):
            return find_image(place.removeprefix(_IMAGE))
        return self._from_layout(name, place.removeprefix(_LAYOUT)) if place.startswith(_LAYOUT) else None

    def files(self, name: str) -> FsVertex | None:
        """The files that are meant by `name`, if it is a named context and no image."""
        name = _plain(name)
        place = self._given.get(name)
        if place is None or place.startswith((_IMAGE, _LAYOUT)):
            return None
        if place.startswith("target:"):
            raise InvalidArgument(f"the context {name} is a target of another build: those are known to bake alone")
        if name not in self._vertices:
            operation = Copy(f"[context {name}] load", self._bench, _EVERYTHING, *self._tree(name, place))
            self._vertices[name] = Vertex(operation, [Vertex(Base("scratch", Filesystem()))])
        return self._vertices[name]

    def _tree(self, name: str, place: str) -> tuple[Tree, FileHashes | None]:
        if is_remote(place):
            path = self._stack.enter_context(fetched(self._bench.store, place, access=self._access)).path
            return self._stack.enter_context(contexts.open_tree(path, None, inside=True)), None
        path = Path(place)
        if not path.is_dir():
            raise InvalidArgument(f"failed to get build context {name}: {place} is no directory")
        hashes = FileHashes(self._bench.store.records, str(path.resolve()))
        self._stack.callback(hashes.save)
        return self._stack.enter_context(contexts.open_tree(path, None)), hashes

    def _from_layout(self, name: str, place: str) -> Image:
        """Bring the layout's images in, unnamed, and pick one: by digest, by tag, or the first."""
        from jubako.image import manifest as documents
        from jubako.image.archive import oci
        from jubako.image.archive.files import opened
        from jubako.image.archive.importing import Importer
        from jubako.image.layout import REF_NAME
        from jubako.image.progress import SILENT
        from jubako.spec.oci_image import Index

        place, _, digest = place.partition("@")
        head, colon, tag = place.rpartition(":")
        path, tag = (head, tag) if colon and "/" not in tag else (place, "")
        with opened(self._bench.store, Path(path)) as files:
            index = documents.decode(files.read(oci.INDEX, documents.DOCUMENT_LIMIT_BYTES))
            entries = index.manifests if isinstance(index, Index) else []
            tagged = {entry.digest for entry in entries if tag in ("", (entry.annotations or {}).get(REF_NAME))}
            found = oci.load(Importer(self._bench.store, files, self._bench.lease, SILENT, None))
        for item in found:
            if item.target.digest in tagged and digest in ("", item.target.digest):
                return self._images.load(item.target)
        raise NotFound("image", name, message=f"the layout {path} of context {name} has no image {tag or digest}")


_EVERYTHING = CopySpec(sources=["."], destination="/")


def _plain(name: str) -> str:
    return name.lower().removesuffix(":latest")
