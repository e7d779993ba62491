"""The commands of one build's RUN steps, and a shell where one of them has failed, if that is wanted."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from jubako.build.conditions import Conditions
from jubako.build.graph.execute import CommandFailed
from jubako.build.options import BuildDrivers

if TYPE_CHECKING:
    from jubako.build.container import BuildContainer
    from jubako.build.debugging import FailedSteps
    from jubako.build.graph.execute import Debug, Job, Keep
    from jubako.build.graph.vertex import Task


class Commands:
    """`debug` is lent the shell. A build that runs nothing does not import what running takes."""

    def __init__(self, drivers: BuildDrivers, conditions: Conditions, debug: Debug | None) -> None:
        self._drivers, self._conditions, self._debug = drivers, conditions, debug
        self._failed: FailedSteps | None = None

    def run(self, job: Job, task: Task) -> None:
        """Run one in a container; raises CommandFailed, or what kept it from starting."""
        self._container().run(job, task)

    def keep(self, stack: ExitStack) -> Keep | None:
        """With `debug`: what a command that failed leaves is kept for a shell, until `stack` is closed."""
        if self._debug is None:
            return None
        from jubako.build.debugging import FailedSteps

        self._failed = FailedSteps(stack)
        return self._failed.keep

    def debug(self, error: CommandFailed) -> None:
        """Open the shell for the command that failed with `error`; raises CommandFailed where there can be none."""
        if self._failed is not None and self._debug is not None:
            self._failed.debug(error, self._container(), self._debug)

    def _container(self) -> BuildContainer:
        from jubako.build.container import BuildContainer

        drivers = self._drivers
        return BuildContainer(drivers.networks, drivers.root, drivers.run_root, self._conditions)
