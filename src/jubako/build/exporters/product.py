"""What a build hands to its exporters: for each platform a file system, a configuration, and statements about them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from jubako.build.convert.history import COMMENT
from jubako.build.convert.state import StageState
from jubako.build.graph.filesystem import Filesystem, Output
from jubako.build.moment import Moment
from jubako.build.solver.solver import Solution
from jubako.spec.oci_image import History, ImageConfig, Platform, RootFS

PROVENANCE = "provenance.json"


class Predicate(msgspec.Struct, frozen=True):
    """A statement to be: what it says about whatever image the exporter makes. `data` is JSON."""

    type: str
    data: bytes
    file_name: str


class Product(msgspec.Struct, frozen=True):
    """`base_layers` of the file system's layers come from the base image."""

    platform: Platform
    config: ImageConfig
    filesystem: Filesystem
    base_layers: int = 0
    predicates: list[Predicate] = []


def product_of(
    state: StageState, solution: Solution[Filesystem, Output], moment: Moment, labels: Mapping[str, str]
) -> Product:
    config = _config(state, solution, moment, labels)
    filesystem = solution.result(state.vertex)
    base = sum(not entry.empty_layer for entry in state.base_history)
    return Product(state.platform, config, filesystem, min(base, len(filesystem.layers)))


def _config(
    state: StageState, solution: Solution[Filesystem, Output], moment: Moment, labels: Mapping[str, str]
) -> ImageConfig:
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
