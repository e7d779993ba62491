"""The graph of a build: operations, each with the vertices whose results it needs.

Model:      a Vertex is one operation at one place of the graph. Its result R (a file system) is made of its inputs'
            results and its own output S (a layer). The output alone is cached, under the operation's key.
Invariant:  two operations with the same key have the same output: a key covers all that counts, and nothing else.
            Keys are made of the inputs' *results*, not of how they came to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Generic, Protocol, TypeVar

R = TypeVar("R")
S = TypeVar("S")
R_co = TypeVar("R_co", covariant=True)


class Task(Protocol):
    """What a running operation sees of the solver."""

    def log(self, data: bytes) -> None:
        """Show output of the step."""

    def on_cancel(self, act: Callable[[], None]) -> AbstractContextManager[None]:
        """Call `act` (from another thread, at once if it is already so) when the build is given up meanwhile."""

    def check(self) -> None:
        """Raise Cancelled when the build was given up."""


class Operation(Protocol[R, S]):
    """One step. Methods are called from worker threads, `key` and `result` from the solver's own."""

    name: str

    def key(self, inputs: Sequence[R]) -> str | None:
        """The cheap cache key; None when the output needs no cache (`run` is then immediate)."""

    def content_key(self, inputs: Sequence[R]) -> str | None:
        """A dearer key that hits more often, asked for only when `key` missed; None when there is none."""

    def run(self, inputs: Sequence[R], task: Task) -> S:
        """Do the work."""

    def result(self, inputs: Sequence[R], output: S) -> R:
        """The vertex's result."""


class Vertex(Generic[R, S]):
    """`operation` with its inputs; identity is the object's. A `fresh` one takes nothing from the cache."""

    __slots__ = ("fresh", "inputs", "operation")

    def __init__(self, operation: Operation[R, S], inputs: Sequence[Vertex[R, S]] = (), *, fresh: bool = False) -> None:
        self.operation = operation
        self.inputs = tuple(inputs)
        self.fresh = fresh


def reachable(targets: Sequence[Vertex[R, S]]) -> Iterator[Vertex[R, S]]:
    """All vertices that `targets` need, inputs before those who need them, each once."""
    seen: set[int] = set()
    stack = [(vertex, False) for vertex in reversed(targets)]
    while stack:
        vertex, inputs_done = stack.pop()
        if inputs_done:
            yield vertex
        elif id(vertex) not in seen:
            seen.add(id(vertex))
            stack.append((vertex, True))
            stack.extend((source, False) for source in reversed(vertex.inputs))
