"""The operation of RUN: a command in a container over the layers so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from jubako.build.graph.bench import Bench
from jubako.build.graph.filesystem import Filesystem, Output, Task, digest_of, stacked
from jubako.build.graph.mounts import MountSpec
from jubako.errors import FailedPrecondition

if TYPE_CHECKING:
    from jubako.runtime.attach import Attached
    from jubako.snapshot import Snapshot


class RunSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A RUN with everything expanded. `script` is the content of a here-document that begins with `#!`.

    `devices` are whole names; `hosts` are `NAME:ADDRESS`, `ulimits` `NAME=SOFT[:HARD]`; `shm_bytes` 0 is the default.
    """

    arguments: list[str]
    env: dict[str, str]
    workdir: str
    user: str
    network: str
    script: str | None = None
    mounts: list[MountSpec] = []
    security: str = "sandbox"
    devices: list[str] = []
    hosts: list[str] = []
    ulimits: list[str] = []
    shm_bytes: int = 0
    hostname: str = ""


class Job(NamedTuple):
    """One command to run on a snapshot; `sources` are what its bind mounts show."""

    bench: Bench
    snapshot: Snapshot
    spec: RunSpec
    sources: Sequence[Filesystem]
    hidden_env: Mapping[str, str]


class CommandFailed(FailedPrecondition):
    """The command of a RUN ended with another status than 0. `output` are the last lines that it wrote."""

    def __init__(
        self,
        arguments: Sequence[str],
        exit_code: int,
        *,
        oom: bool = False,
        reason: str = "",
        output: Sequence[str] = (),
    ) -> None:
        command = " ".join(arguments)
        why = "out of memory" if oom else reason
        super().__init__(
            f'process "{command}" did not complete successfully: exit code: {exit_code}{": " + why if why else ""}',
            hint="build with --debug on a terminal for a shell at this point",
        )
        self.exit_code = exit_code
        self.output = list(output)

    def located(self, message: str) -> CommandFailed:
        """Make `message`, which says where the command stands, the message, and the last output part of it."""
        shown = ["last output:", *(f"  {line}" for line in self.output)] if self.output else []
        self.message = "\n".join([message, *shown])
        self.args = (self.message,)
        return self


Container = Callable[[Job, Task], None]
"""Runs one command to its end in a container on a snapshot; raises CommandFailed, Cancelled, or what kept the command
from starting."""

Keep = Callable[[CommandFailed, Job, ExitStack], None]
"""Takes over what a command that failed has left; closing the stack gives it up."""

Debug = Callable[[CommandFailed, "Attached"], object]
"""Sits at a shell where a command has failed, until it ends."""


class Execute:
    """Run a command over inputs[0]; the other inputs are for its bind mounts.

    `hidden_env` reaches the command, but neither key nor history. With `keep` a failed command's snapshot stays.
    """

    def __init__(
        self,
        name: str,
        bench: Bench,
        container: Container,
        spec: RunSpec,
        hidden_env: Mapping[str, str],
        keep: Keep | None = None,
    ) -> None:
        self.name = name
        self._bench = bench
        self._container = container
        self.spec = spec
        self._hidden_env = hidden_env
        self._keep = keep

    def key(self, inputs: Sequence[Filesystem]) -> str:
        layers = [filesystem.diff_ids for filesystem in inputs]
        return digest_of("run", layers, msgspec.to_builtins(self.spec), self._bench.moment.epoch)

    def content_key(self, inputs: Sequence[Filesystem]) -> str | None:
        return None

    def run(self, inputs: Sequence[Filesystem], task: Task) -> Output:
        task.check()
        with ExitStack() as stack:
            snapshot = stack.enter_context(self._bench.snapshot(inputs[0]))
            job = Job(self._bench, snapshot, self.spec, inputs[1:], self._hidden_env)
            try:
                self._container(job, task)
            except CommandFailed as error:
                if self._keep is not None:
                    self._keep(error, job, stack.pop_all())
                raise
            return self._bench.commit(snapshot)

    def result(self, inputs: Sequence[Filesystem], output: Output) -> Filesystem:
        return stacked(inputs[0], output)
