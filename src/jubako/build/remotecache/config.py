"""The documents of an exported cache: which keys it knows, and the layers that their steps made.

Layers:   a chain has one entry a layer, each with the entry beneath it; the base image's layers are left out, since a
          build brings its base itself.
Records:  `digest` is a step's key, and `layers` leads to the topmost entry of what it made. Where the layer is not in
          the cache, `diffID` says what it is, so that the steps above are found; with `createdAt` alone the step
          changed nothing. Links between records are for readers whose keys are made of them; ours are whole.
Hostile:  whatever is read here may be anything: only well-formed keys, digests and times come out of it, and nothing is
          followed. What BuildKit wrote is read too; its keys mean nothing here.
Spec:     BuildKit, cache/remotecache/v1 (application/vnd.buildkit.cacheconfig.v0); inline: the records alone, base64 in
          the image configuration's `moby.buildkit.cache.v0`, with layers counted as the image has them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from jubako.build.graph.filesystem import Layer, Output
from jubako.errors import InvalidArgument
from jubako.image.manifest import CONFIG_LIMIT_BYTES, LAYER_TYPES, MALFORMED
from jubako.image.reference import is_digest
from jubako.spec import decoding
from jubako.spec.oci_image import Descriptor, DiffID, Digest

CACHE_CONFIG = "application/vnd.buildkit.cacheconfig.v0"
CREATED, DIFF_ID = "buildkit/createdat", "containerd.io/uncompressed"
T = TypeVar("T")
_KEY = re.compile(r"sha256:([0-9a-f]{64})")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


class ConfigLayer(msgspec.Struct, frozen=True):
    """`parent` counts entries from 0; -1 is the bottom."""

    blob: str = ""
    parent: int = 0


class ConfigResult(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    layer: int
    created_at: str = ""


class ConfigRecord(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    digest: str = ""
    layers: list[ConfigResult] | None = None
    created_at: str = ""
    diff_id: str = msgspec.field(default="", name="diffID")


class CacheConfig(msgspec.Struct, frozen=True):
    layers: list[ConfigLayer] | None = None
    records: list[ConfigRecord] | None = None


class LayerTable:
    """The layers of a cache to be, in chains. `blobs` are those that it has."""

    def __init__(self, blobs: Mapping[DiffID, Descriptor]) -> None:
        self._blobs = blobs
        self._chains: dict[tuple[DiffID, ...], int] = {}
        self.entries: list[ConfigLayer] = []
        self.tops: dict[DiffID, int] = {}

    def add(self, stack: Iterable[DiffID]) -> None:
        """Enter what of `stack` (lowest first) is in the cache."""
        chain: tuple[DiffID, ...] = ()
        parent = -1
        for diff_id in stack:
            if diff_id not in self._blobs:
                continue
            chain = (*chain, diff_id)
            if chain not in self._chains:
                self._chains[chain] = len(self.entries)
                self.entries.append(ConfigLayer(self._blobs[diff_id].digest, parent))
                self.tops.setdefault(diff_id, self._chains[chain])
            parent = self._chains[chain]


def records_of(outputs: Mapping[str, Output], tops: Mapping[DiffID, int]) -> list[ConfigRecord]:
    """The records of `outputs` by key; `tops` leads to the layers that are in the cache."""
    return [_record(key, outputs[key], tops) for key in sorted(outputs)]


def encode(records: Sequence[ConfigRecord], layers: Sequence[ConfigLayer]) -> bytes:
    return msgspec.json.encode(CacheConfig(list(layers), list(records)))


def decode(data: bytes, blobs: Iterable[Descriptor]) -> dict[str, Output]:
    """The outputs by key; `blobs` are what the document around it names. Raises InvalidArgument."""
    config = _decoded(data, CacheConfig)
    known = {blob.digest: blob for blob in blobs}
    layers = [_layer(known.get(Digest(entry.blob))) for entry in config.layers or []]
    return _outputs(config.records or [], layers)


def encode_inline(records: Sequence[ConfigRecord]) -> str:
    return base64.b64encode(msgspec.json.encode(records)).decode()


def decode_inline(text: str, blobs: Sequence[Descriptor], diff_ids: Sequence[DiffID]) -> dict[str, Output]:
    """As decode(), for the records in an image with these layers."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise InvalidArgument(f"the cache in the image is not base64: {error}") from error
    layers = [_layer(blob, diff_id) for blob, diff_id in zip(blobs, diff_ids, strict=False)]
    return _outputs(_decoded(data, list[ConfigRecord]), layers)


def _record(key: str, output: Output, tops: Mapping[DiffID, int]) -> ConfigRecord:
    digest, layer = f"sha256:{key}", output.layer
    if layer is None:
        return ConfigRecord(digest, created_at=output.created)
    if layer.diff_id in tops:
        return ConfigRecord(digest, [ConfigResult(tops[layer.diff_id], output.created)])
    return ConfigRecord(digest, created_at=output.created, diff_id=layer.diff_id)


def _outputs(records: Iterable[ConfigRecord], layers: Sequence[Layer | None]) -> dict[str, Output]:
    found: dict[str, Output] = {}
    for record in records:
        key = _KEY.fullmatch(record.digest)
        output = _output(record, layers)
        if key and output is not None:
            found.setdefault(key[1], output)
    return found


def _output(record: ConfigRecord, layers: Sequence[Layer | None]) -> Output | None:
    """What a record says; None when that is of no use."""
    for result in record.layers or []:
        if not 0 <= result.layer < len(layers):
            raise InvalidArgument(f"a record of the cache leads to layer {result.layer}, which there is not")
        layer = layers[result.layer]
        if layer is not None and _TIME.fullmatch(result.created_at):
            return Output(layer, result.created_at)
    if record.layers or not _TIME.fullmatch(record.created_at):
        return None
    if not record.diff_id:
        return Output(None, record.created_at)
    return Output(Layer.without_blob(DiffID(record.diff_id)), record.created_at) if is_digest(record.diff_id) else None


def _layer(blob: Descriptor | None, diff_id: str | None = None) -> Layer | None:
    if blob is None or blob.media_type not in LAYER_TYPES or blob.size <= 0:
        return None
    diff_id = diff_id or (blob.annotations or {}).get(DIFF_ID, "")
    if not is_digest(diff_id):
        return None
    return Layer(DiffID(diff_id), Descriptor(media_type=blob.media_type, digest=blob.digest, size=blob.size))


def _decoded(data: bytes, kind: type[T]) -> T:
    if len(data) > CONFIG_LIMIT_BYTES:
        raise InvalidArgument(f"the configuration of the cache is larger than {CONFIG_LIMIT_BYTES >> 20} MB")
    try:
        return decoding.decode(data, kind)
    except MALFORMED as error:
        raise InvalidArgument(f"the configuration of the cache is malformed: {error}") from error
