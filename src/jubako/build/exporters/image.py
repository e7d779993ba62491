"""The finished stage as an image in the store: configuration, history, manifest, names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from jubako.build.convert.history import COMMENT
from jubako.build.convert.state import StageState
from jubako.build.graph.filesystem import Filesystem, Output
from jubako.build.moment import Moment
from jubako.build.solver.solver import Solution
from jubako.image import compose
from jubako.image.catalog import Images
from jubako.spec.oci_image import (
    DOCKER_LAYER_GZIP,
    DOCKER_LAYER_TAR,
    LAYER_GZIP,
    LAYER_TAR,
    Descriptor,
    History,
    ImageConfig,
    RootFS,
)
from jubako.store import Store

# A base image of Docker's schema brings its names for the same bytes; an OCI manifest has its own.
_OCI_LAYER = {DOCKER_LAYER_GZIP: LAYER_GZIP, DOCKER_LAYER_TAR: LAYER_TAR}


def compose_config(
    state: StageState, solution: Solution[Filesystem, Output], moment: Moment, labels: Mapping[str, str]
) -> ImageConfig:
    """The configuration document of the stage's image."""
    history = _history(state, solution, moment)
    config = state.config()
    if labels:
        config = msgspec.structs.replace(config, labels={**(config.labels or {}), **labels})
    return ImageConfig(
        created=history[-1].created if history else state.base_created or moment.now(),
        author=state.author,
        architecture=state.platform.architecture,
        os=state.platform.os,
        variant=state.platform.variant,
        config=config,
        rootfs=RootFS(diff_ids=solution.result(state.vertex).diff_ids),
        history=[*state.base_history, *history],
    )


def export(
    store: Store, images: Images, config: ImageConfig, filesystem: Filesystem, names: Sequence[str]
) -> Descriptor:
    """Write the image and record it under `names`, or as dangling when there are none."""
    manifest = compose.write_image(store, config, [_oci(layer.blob) for layer in filesystem.layers])
    wanted: list[str | None] = [*names] or [None]
    for name in wanted:
        images.put(name, manifest)
    return manifest


def _history(state: StageState, solution: Solution[Filesystem, Output], moment: Moment) -> list[History]:
    """Entries are dated by what they made. One that made nothing has the time of what stands before it, so that a
    build wholly from cache gives the same image again."""
    outputs = [solution.output(step.vertex) if step.vertex else None for step in state.history]
    made = [output.created for output in outputs if output]
    latest = state.base_created or (made[0] if made else moment.now())
    entries: list[History] = []
    for step, output in zip(state.history, outputs, strict=True):
        latest = output.created if output else latest
        entries.append(
            History(
                created=moment.now() if moment.epoch is not None else latest,
                created_by=step.created_by,
                comment=COMMENT,
                empty_layer=output is None or output.layer is None,
            )
        )
    return entries


def _oci(layer: Descriptor) -> Descriptor:
    media_type = _OCI_LAYER.get(layer.media_type, layer.media_type)
    return Descriptor(media_type=media_type, digest=layer.digest, size=layer.size)
