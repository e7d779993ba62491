"""What the conversion of one stage's instructions works with: its state, its variables, and the graph that grows."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from jubako.build.conditions import Conditions
from jubako.build.convert.arguments import Arguments
from jubako.build.convert.state import StageState
from jubako.build.dockerfile import expansion
from jubako.build.dockerfile.instructions import Instruction
from jubako.build.dockerfile.lexer import Heredoc
from jubako.build.dockerfile.source import DockerfileError, Source, Text, error_at
from jubako.build.files.hashes import FileHashes
from jubako.build.files.tree import Tree
from jubako.build.graph.bench import Bench
from jubako.build.graph.execute import Container, Keep
from jubako.build.graph.filesystem import Cached, FsOperation, FsVertex
from jubako.build.graph.vertex import Vertex
from jubako.build.namedcontexts import NamedContexts


class Place(msgspec.Struct, frozen=True):
    """Where in the Dockerfile a vertex comes from."""

    source: Source
    instruction: Instruction

    def error(self, problem: str, hint: str | None = None) -> DockerfileError:
        return DockerfileError(
            self.source, self.instruction.position, problem, width=len(self.instruction.text.split()[0]), hint=hint
        )


class Workshop(msgspec.Struct, frozen=True):
    """What the operations of a build are made with."""

    bench: Bench
    container: Container
    context: Tree
    hashes: FileHashes
    conditions: Conditions
    cache: Cached
    named: NamedContexts
    places: dict[int, Place]
    keep: Keep | None = None


class Scope:
    """One stage in conversion. `stage_vertex` finds what `COPY --from` names."""

    def __init__(
        self,
        workshop: Workshop,
        stage: StageState,
        arguments: Arguments,
        source: Source,
        escape: str,
        stage_vertex: Callable[[Scope, Text], FsVertex],
    ) -> None:
        self.workshop = workshop
        self.bench = workshop.bench
        self.stage = stage
        self.arguments = arguments
        self.source = source
        self.escape = escape
        self.stage_vertex = stage_vertex

    def expand(self, text: Text) -> str:
        """Raises DockerfileError at the place of what can not be expanded."""
        try:
            return expansion.expand(text.value, self.stage.lookup, self.escape)
        except expansion.ExpansionError as error:
            raise self._bad_expansion(text, error) from None

    def expand_words(self, text: Text) -> list[str]:
        try:
            return expansion.expand_words(text.value, self.stage.lookup, self.escape)
        except expansion.ExpansionError as error:
            raise self._bad_expansion(text, error) from None

    def expand_heredoc(self, heredoc: Heredoc) -> str:
        """The content, with its variables unless the delimiter was quoted."""
        if not heredoc.expand:
            return heredoc.text()
        try:
            return expansion.expand_body(heredoc.text(), self.stage.lookup)
        except expansion.ExpansionError as error:
            raise DockerfileError(self.source, heredoc.position, error.problem) from None

    def fail(self, at: Text, problem: str, *, hint: str | None = None) -> DockerfileError:
        return error_at(self.source, at, problem, hint=hint)

    def step_name(self, instruction: Instruction) -> str:
        """`[build 2/4] RUN make`: counts the steps that work on files."""
        self.stage.step += 1
        prefix = f"{self.stage.name} " if self.stage.name else ""
        return f"[{prefix}{self.stage.step}/{self.stage.steps}] {instruction.text}"

    def add_step(self, instruction: Instruction, operation: FsOperation, *others: FsVertex) -> FsVertex:
        """Put the stage on a new vertex over the present one."""
        vertex = Vertex(operation, (self.stage.vertex, *others), fresh=self.stage.fresh)
        self.workshop.places[id(vertex)] = Place(self.source, instruction)
        self.stage.vertex = vertex
        return vertex

    def add_beside(self, instruction: Instruction, operation: FsOperation, *inputs: FsVertex) -> FsVertex:
        """A vertex that the stage does not stand on."""
        vertex = Vertex(operation, inputs, fresh=self.stage.fresh)
        self.workshop.places[id(vertex)] = Place(self.source, instruction)
        return vertex

    def _bad_expansion(self, text: Text, error: expansion.ExpansionError) -> DockerfileError:
        return DockerfileError(self.source, text.position(min(error.offset, len(text))), error.problem)
