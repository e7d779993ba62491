"""Where a stage begins: the layers of an image, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

from jubako.build.graph.filesystem import Filesystem, Layer, Output, Task
from jubako.image.catalog import Image


class Base:
    """A file system that exists already. Its layers are unpacked when a step first stands on them."""

    def __init__(self, name: str, filesystem: Filesystem) -> None:
        self.name = name
        self._filesystem = filesystem

    @classmethod
    def of_image(cls, name: str, image: Image) -> Base:
        layers = [Layer(diff_id, blob) for diff_id, blob in zip(image.diff_ids, image.manifest.layers, strict=True)]
        return cls(name, Filesystem(tuple(layers), image.config.created))

    def key(self, inputs: Sequence[Filesystem]) -> str | None:
        return None

    def content_key(self, inputs: Sequence[Filesystem]) -> str | None:
        return None

    def run(self, inputs: Sequence[Filesystem], task: Task) -> Output:
        return Output(None, self._filesystem.created or "")

    def result(self, inputs: Sequence[Filesystem], output: Output) -> Filesystem:
        return self._filesystem
