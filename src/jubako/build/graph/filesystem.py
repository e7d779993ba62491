"""What flows through a build's graph: file systems as stacks of layers."""

from __future__ import annotations

import hashlib
from typing import Protocol

import msgspec

from jubako.build.graph.vertex import Operation, Task, Vertex
from jubako.spec.oci_image import LAYER_TAR, Descriptor, DiffID, Digest


class Layer(msgspec.Struct, frozen=True):
    """One layer: its uncompressed identity, and the compressed blob that holds it.

    Of some that another machine made only the identity is known. They stand as if they were not compressed, since an
    uncompressed layer's blob has the diff_id for its digest.
    """

    diff_id: DiffID
    blob: Descriptor

    @classmethod
    def without_blob(cls, diff_id: DiffID) -> Layer:
        return cls(diff_id, Descriptor(media_type=LAYER_TAR, digest=Digest(diff_id), size=0))

    @property
    def has_blob(self) -> bool:
        return self != Layer.without_blob(self.diff_id)


class Filesystem(msgspec.Struct, frozen=True):
    """Layers, lowest first. `created` is when the topmost change was made, RFC 3339, or None."""

    layers: tuple[Layer, ...] = ()
    created: str | None = None

    @property
    def diff_ids(self) -> list[DiffID]:
        return [layer.diff_id for layer in self.layers]


class Output(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one step adds: a layer, or None when it changed nothing. This is what the cache keeps.

    An output that is not `settled` was made while its sources changed: it may not be what its key says.
    """

    layer: Layer | None
    created: str
    settled: bool = True


def stacked(below: Filesystem, output: Output) -> Filesystem:
    layers = (*below.layers, output.layer) if output.layer else below.layers
    return Filesystem(layers, output.created)


def digest_of(*facts: object) -> str:
    """A key out of `facts` (strings, numbers, None, lists, dicts), in hexadecimal."""
    return hashlib.sha256(msgspec.json.encode(facts, order="deterministic")).hexdigest()


class Cached(Protocol):
    """The build cache, as an operation uses it that learns its key only while it runs."""

    def find(self, key: str, name: str) -> Output | None: ...

    def put(self, key: str, output: Output, name: str) -> None: ...


FsVertex = Vertex[Filesystem, Output]
FsOperation = Operation[Filesystem, Output]

__all__ = ["Cached", "Filesystem", "FsOperation", "FsVertex", "Layer", "Output", "Task", "digest_of", "stacked"]
