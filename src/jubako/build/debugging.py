"""A shell where a RUN has failed: its snapshot as the command left it, with the same mounts, network and environment.

It opens when all other steps have stopped, on the caller's thread. What the shell changes is in no layer.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from jubako.build.alone import Alone
from jubako.build.graph.execute import CommandFailed, Debug, Job

if TYPE_CHECKING:
    from jubako.build.container import BuildContainer


class FailedSteps:
    """What commands that failed have left, until `stack` is closed."""

    def __init__(self, stack: ExitStack) -> None:
        self._lock = threading.Lock()
        self._stack = stack
        self._jobs: dict[int, Job] = {}

    def keep(self, error: CommandFailed, job: Job, held: ExitStack) -> None:
        with self._lock:
            self._stack.callback(held.close)
            self._jobs[id(error)] = job

    def debug(self, error: CommandFailed, container: BuildContainer, sit: Debug) -> None:
        """Open the shell for the step that failed with `error`, when it is one that was kept."""
        if (job := self._jobs.get(id(error))) is not None:
            container.shell(job, Alone(), lambda attached: sit(error, attached))
