"""The solver's events, told to a BuildProgress; and which vertex failed."""

from __future__ import annotations

from collections.abc import Mapping

from jubako.build.convert.scope import Place
from jubako.build.graph.filesystem import FsVertex
from jubako.build.graph.source import Base
from jubako.build.graph.supply import LayerUnavailable
from jubako.build.progress import BuildProgress, Step


class Observed:
    """Only vertices that stand for an instruction (those in `places`) are shown.

    When the build begins again, since a cache did not hold what it promised, what was told is not told again; a step
    that looked cached and has to run is.
    """

    def __init__(self, progress: BuildProgress, places: Mapping[int, Place]) -> None:
        self._progress = progress
        self._places = places
        self._steps: dict[int, Step] = {}
        self._told: set[int] = set()
        self.failed_at: Place | None = None

    def started(self, vertex: FsVertex) -> None:
        if id(vertex) in self._places and not (id(vertex) in self._told and isinstance(vertex.operation, Base)):
            self._told.add(id(vertex))
            self._steps[id(vertex)] = self._progress.step(vertex.operation.name)

    def cached(self, vertex: FsVertex) -> None:
        if id(vertex) in self._places and id(vertex) not in self._told:
            self._told.add(id(vertex))
            self._progress.step(vertex.operation.name).cached()

    def log(self, vertex: FsVertex, data: bytes) -> None:
        if step := self._steps.get(id(vertex)):
            step.log(data)

    def done(self, vertex: FsVertex) -> None:
        if step := self._steps.pop(id(vertex), None):
            step.done()

    def failed(self, vertex: FsVertex, error: BaseException) -> None:
        if isinstance(error, LayerUnavailable):
            return
        self.failed_at = self._places.get(id(vertex))
        if step := self._steps.pop(id(vertex), None):
            step.failed(str(error))

    def close(self) -> None:
        """Whatever still runs was given up."""
        for step in self._steps.values():
            step.failed("CANCELED")
        self._steps.clear()
