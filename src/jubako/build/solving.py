"""The solver's run over a build's graph: told to the progress, with its caches, and failures placed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jubako.build.caching import Caching, FsSolution
from jubako.build.convert.scope import Place, Workshop
from jubako.build.graph.execute import CommandFailed
from jubako.build.graph.filesystem import Filesystem, FsVertex, Output
from jubako.build.observe import Observed
from jubako.build.progress import BuildProgress
from jubako.build.solver.solver import Solver
from jubako.errors import InvalidArgument, JubakoError


def solve(
    targets: Sequence[FsVertex],
    workshop: Workshop,
    caching: Caching,
    progress: BuildProgress,
    *,
    workers: int | None,
    with_layers: bool,
    debug: Callable[[CommandFailed], None],
) -> FsSolution:
    """Bring about the targets; `with_layers`: their layers, too, are here then and seen to be right.

    A failed command is given to `debug` before it is raised.
    """
    observed = Observed(progress, workshop.places)
    solver: Solver[Filesystem, Output] = Solver(workshop.cache, observed, workers=workers, on_stop=caching.stop)

    def attempt() -> FsSolution:
        try:
            return solver.solve(targets)
        finally:
            observed.close()

    try:
        return caching.solved(attempt, targets if with_layers else [], workshop.bench)
    except JubakoError as error:
        if observed.failed_at is None:
            raise
        located = _at(observed.failed_at, error)
        if isinstance(located, CommandFailed):
            debug(located)
        raise located from error


def _at(place: Place, error: JubakoError) -> CommandFailed | InvalidArgument:
    """The same failure, shown in the Dockerfile."""
    located = place.error(error.message, error.hint)
    if isinstance(error, CommandFailed):
        return error.located(located.message)
    return located
