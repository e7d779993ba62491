"""Exporting what a build found and made, for builds on other machines.

Modes:   min has the layers of the result, and of all other steps only what they came to: a build with the same inputs
         finds every step. max has the layers of all steps, so that another build can go on from any of them.
Secrets: records hold keys, digests and times; no text of the Dockerfile, no argument and no mount.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import msgspec

from jubako.build.exporters.compression import Packing, packed
from jubako.build.exporters.export import ShowStep
from jubako.build.graph.bench import Bench
from jubako.build.graph.filesystem import Filesystem, Layer, Output
from jubako.build.graph.supply import LayerUnavailable
from jubako.build.progress import BuildProgress
from jubako.build.remotecache import config, targets
from jubako.build.remotecache.spec import CacheTo
from jubako.build.remotecache.targets import Target
from jubako.errors import JubakoError
from jubako.image import compose
from jubako.spec.oci_image import MANIFEST, Descriptor, DiffID, Manifest

_STEP = {"registry": "exporting cache to registry", "local": "exporting cache to client directory"}


class Knowledge(NamedTuple):
    """What there is to export: outputs by key, the file systems that they make up, and which of those are results."""

    outputs: Mapping[str, Output]
    stacks: Sequence[Filesystem]
    results: Sequence[Filesystem]


def inline(outputs: Mapping[str, Output], result: Filesystem) -> str:
    """What an image with the layers of `result` says of how it was built."""
    tops: dict[DiffID, int] = {}
    for number, diff_id in enumerate(result.diff_ids):
        tops.setdefault(diff_id, number)
    return config.encode_inline(config.records_of(outputs, tops))


class CacheExporter:
    def __init__(self, bench: Bench, knowledge: Knowledge, progress: BuildProgress, step: ShowStep) -> None:
        self._bench = bench
        self._knowledge = knowledge
        self._progress = progress
        self._step = step

    def run(self, wanted: Iterable[CacheTo]) -> None:
        """Write each cache. Raises what kept one from it, unless that is to be ignored."""
        for each in wanted:
            try:
                self._export(each)
            except JubakoError as error:
                if not each.ignore_error:
                    raise
                self._progress.warning(f"failed to export cache to {each.place}: {error.message}")

    def _export(self, wanted: CacheTo) -> None:
        store = self._bench.store
        with ExitStack() as stack, self._step(_STEP[wanted.type]) as tell:
            target = targets.opened(stack, wanted)
            blobs: dict[DiffID, Descriptor] = {}
            for layer in self._layers(complete=wanted.complete):
                blob = self._ready(target, layer, wanted.packing)
                if blob is not None:
                    blobs[layer.diff_id] = blob
                    tell(f"writing layer {blob.digest}")
            about, document, data = self._documents(wanted, blobs)
            target.send(store, [blob for blob in (*blobs.values(), about) if store.blobs.exists(blob.digest)])
            tell(f"writing config {about.digest} done")
            target.name(document, data)
            tell(f"writing cache manifest {document.digest} done")

    def _layers(self, *, complete: bool) -> list[Layer]:
        """What steps made, of the result alone or all of it."""
        made = {output.layer.diff_id: output.layer for output in self._knowledge.outputs.values() if output.layer}
        wanted = {diff_id for result in self._knowledge.results for diff_id in result.diff_ids}
        return [layer for diff_id, layer in sorted(made.items()) if complete or diff_id in wanted]

    def _ready(self, target: Target, layer: Layer, packing: Packing) -> Descriptor | None:
        """The layer's blob, here or at the target; None for a layer that nobody has."""
        bench = self._bench
        if not layer.has_blob:
            return None
        if packing != Packing() or not target.has(layer.blob):
            try:
                bench.have_blobs(Filesystem((layer,)))
            except LayerUnavailable:
                return None
        return packed(bench.store, bench.lease, [layer], 0, packing)[0]

    def _documents(self, wanted: CacheTo, blobs: Mapping[DiffID, Descriptor]) -> tuple[Descriptor, Descriptor, bytes]:
        """The configuration, which is in the store then, and the document around all of it."""
        outputs = self._knowledge.outputs
        table = config.LayerTable(blobs)
        for filesystem in self._knowledge.stacks:
            table.add(filesystem.diff_ids)
        for diff_id in sorted(blobs.keys() - table.tops.keys()):
            table.add([diff_id])
        data = config.encode(config.records_of(outputs, table.tops), table.entries)
        about = compose.describe(data, config.CACHE_CONFIG)
        self._bench.lease.add(about.digest)
        self._bench.store.blobs.put(data)
        created = {output.layer.diff_id: output.created for output in outputs.values() if output.layer}
        named = blobs if wanted.oci_types else {layer: compose.docker_layer(blob) for layer, blob in blobs.items()}
        layers = [_annotated(blob, diff_id, created[diff_id]) for diff_id, blob in named.items()]
        if wanted.image_manifest:
            manifest = msgspec.json.encode(Manifest(media_type=MANIFEST, config=about, layers=layers))
            return about, compose.describe(manifest, MANIFEST), manifest
        index = compose.index_of([*layers, about], docker_types=not wanted.oci_types)
        return about, index.descriptor, index.data


def _annotated(blob: Descriptor, diff_id: DiffID, created: str) -> Descriptor:
    return msgspec.structs.replace(blob, annotations={config.CREATED: created, config.DIFF_ID: diff_id})
