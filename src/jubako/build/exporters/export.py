"""Every output of a build, one after the other, each shown as a step.

The image is recorded under its names only when all its blobs are in the store; it is pushed after that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from jubako.build.exporters.annotations import Annotation
from jubako.build.exporters.destination import destination
from jubako.build.exporters.image import Written, write_image
from jubako.build.exporters.product import Product
from jubako.build.exporters.spec import Output
from jubako.build.graph.bench import Bench
from jubako.errors import InvalidArgument
from jubako.image import compose
from jubako.image import platform as platforms
from jubako.image.catalog import Images
from jubako.spec.oci_image import CONFIG, Descriptor, Digest

_STEP = {
    "image": "exporting to image",
    "local": "exporting to client directory",
    "tar": "exporting to client tarball",
    "oci": "exporting to oci image format",
    "docker": "exporting to docker image format",
}

ShowStep = Callable[[str], AbstractContextManager[Callable[[str], None]]]


class Push(Protocol):
    """Sends the image of this name to its registry."""

    def __call__(self, name: str, /) -> Descriptor: ...


class Exported(msgspec.Struct, frozen=True):
    """`target` is None when only files were exported; `manifest` and `image_id` are those for this machine."""

    image_id: Digest
    manifest: Descriptor
    target: Descriptor | None
    names: list[str]


class Exporter:
    """`names` and `annotations` go for each output that is an image."""

    def __init__(
        self,
        bench: Bench,
        images: Images,
        products: Sequence[Product],
        names: Sequence[str],
        annotations: Sequence[Annotation],
        *,
        push: Push | None,
        stdout: BinaryIO | None,
        step: ShowStep,
    ) -> None:
        self._bench = bench
        self._images = images
        self._products = products
        self._names = list(names)
        self._annotations = annotations
        self._push = push
        self._stdout = stdout
        self._step = step
        here = [platforms.matches(platforms.host(), product.platform) for product in products]
        self._main = here.index(True) if True in here else 0

    def run(self, outputs: Sequence[Output]) -> Exported:
        written: Written | None = None
        names: dict[str, None] = {}
        for output in filter(attrgetter("has_files"), outputs):
            with self._step("exporting to image" if output.is_image else _STEP[output.type]) as tell:
                if output.type in ("local", "tar"):
                    self._files(output)
                    continue
                names.update(dict.fromkeys([*self._names, *output.names]))
                written = self._image(output, tell)
        main = self._products[self._main]
        image_id = compose.describe(msgspec.json.encode(main.config), CONFIG).digest
        manifest = (
            written.manifests[self._main] if written else self._write(Output(type="image"), []).manifests[self._main]
        )
        return Exported(image_id, manifest, written.target if written else None, list(names))

    def _files(self, output: Output) -> None:
        from jubako.build.exporters.files import write_directory, write_tar

        if output.type == "local":
            write_directory(self._bench, self._products, output)
            return
        with destination(output.dest, self._stdout) as out:
            write_tar(self._bench, self._products, output, out)

    def _write(self, output: Output, names: Sequence[str]) -> Written:
        return write_image(self._bench.store, self._bench.lease, self._products, output, self._annotations, names)

    def _image(self, output: Output, tell: Callable[[str], None]) -> Written:
        names = list(dict.fromkeys([*self._names, *output.names]))
        written = self._write(output, names)
        main = self._products[self._main]
        if not output.is_image:
            self._archive(output, written, names)
            tell(f"exporting manifest {written.target.digest} done")
            return written
        if output.store or output.push:
            recorded: list[str | None] = [*names] or [None]
            for name in recorded:
                self._images.put(name, written.target, platform=main.platform)
        tell(f"writing image {self._images.load(written.target, main.platform).id} done")
        for name in names:
            tell(f"naming to {name} done")
        if output.push:
            self._send(names, tell)
        return written

    def _send(self, names: Sequence[str], tell: Callable[[str], None]) -> None:
        if self._push is None:
            raise InvalidArgument("nothing here can push")
        for name in names:
            pushed = self._push(name)
            tell(f"pushing manifest for {name}@{pushed.digest} done")

    def _archive(self, output: Output, written: Written, names: Sequence[str]) -> None:
        from jubako.image import layout
        from jubako.image.archive import save_docker, save_layout

        store = self._bench.store
        if output.type == "docker" and output.tar:
            image = self._images.load(written.target, self._products[self._main].platform)
            with destination(output.dest, self._stdout) as out:
                save_docker(store, [(image, name) for name in names] or [(image, None)], out)
            return
        document = layout.content_of(store, [(written.target, name) for name in names] or [(written.target, None)])
        if output.tar:
            with destination(output.dest, self._stdout) as out:
                save_layout(store, document, out)
        else:
            layout.write(store, document, Path(output.dest))
