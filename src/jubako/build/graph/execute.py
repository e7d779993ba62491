"""The operation of RUN: a command in a container over the layers so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from jubako.build.graph.bench import Bench
from jubako.build.graph.filesystem import Filesystem, Output, Task, digest_of, stacked
from jubako.build.graph.mounts import MountSpec
from jubako.errors import FailedPrecondition

if TYPE_CHECKING:
    from jubako.snapshot import Snapshot


class RunSpec(msgspec.Struct, frozen=True):
    """A RUN with everything expanded. `script` is the content of a here-document that begins with `#!`."""

    arguments: list[str]
    env: dict[str, str]
    workdir: str
    user: str
    network: str
    script: str | None = None
    mounts: list[MountSpec] = []


class CommandFailed(FailedPrecondition):
    """The command of a RUN ended with another status than 0."""

    def __init__(self, arguments: Sequence[str], exit_code: int, *, oom: bool = False, reason: str = "") -> None:
        command = " ".join(arguments)
        why = "out of memory" if oom else reason
        super().__init__(
            f'process "{command}" did not complete successfully: exit code: {exit_code}{": " + why if why else ""}'
        )
        self.exit_code = exit_code

    def located(self, message: str) -> CommandFailed:
        """Make `message`, which says where the command stands, the message."""
        self.message = message
        self.args = (message,)
        return self


class Container(Protocol):
    """Runs one command to its end in a container on a snapshot."""

    def __call__(
        self,
        bench: Bench,
        snapshot: Snapshot,
        spec: RunSpec,
        sources: Sequence[Filesystem],
        hidden_env: Mapping[str, str],
        task: Task,
    ) -> None:
        """`sources` are what the bind mounts of `spec` show.

        Raises CommandFailed, Cancelled, or what kept the command from starting.
        """


class Execute:
    """Run a command over inputs[0]; the other inputs are for its bind mounts.

    `hidden_env` reaches the command, but neither key nor history.
    """

    def __init__(
        self, name: str, bench: Bench, container: Container, spec: RunSpec, hidden_env: Mapping[str, str]
    ) -> None:
        self.name = name
        self._bench = bench
        self._container = container
        self._spec = spec
        self._hidden_env = hidden_env

    def key(self, inputs: Sequence[Filesystem]) -> str:
        layers = [filesystem.diff_ids for filesystem in inputs]
        return digest_of("run", layers, msgspec.to_builtins(self._spec), self._bench.moment.epoch)

    def content_key(self, inputs: Sequence[Filesystem]) -> str | None:
        return None

    def run(self, inputs: Sequence[Filesystem], task: Task) -> Output:
        task.check()
        with self._bench.snapshot(inputs[0]) as snapshot:
            self._container(self._bench, snapshot, self._spec, inputs[1:], self._hidden_env, task)
            return self._bench.commit(snapshot)

    def result(self, inputs: Sequence[Filesystem], output: Output) -> Filesystem:
        return stacked(inputs[0], output)
