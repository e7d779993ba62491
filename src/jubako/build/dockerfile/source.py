"""The text of a Dockerfile and the places in it.

Model:      a Source is a named file; a Text is a piece of it that may run over several physical lines (continuations
            joined) and still knows for every character the line and column it came from.
Invariant:  a Position always lies within the file: 1 <= line <= number of lines, 1 <= column <= length of line + 1.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from jubako.errors import InvalidArgument


class Position(msgspec.Struct, frozen=True, order=True):
    """A place in a file; both count from 1, columns in characters."""

    line: int
    column: int = 1


class Source:
    """A file's name, as people know it, and its lines without their ends."""

    __slots__ = ("lines", "name")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.lines = [line.removesuffix("\r") for line in text.split("\n")]

    def excerpt(self, position: Position, width: int = 1) -> str:
        """The line at `position` with a caret beneath, for people."""
        number = str(position.line)
        line = self.lines[position.line - 1]
        # Tabs are kept in the padding so that the caret stands below its character whatever a tab is wide.
        padding = "".join("\t" if char == "\t" else " " for char in line[: position.column - 1])
        carets = "^" * max(1, min(width, len(line) - position.column + 1))
        return f"  {number} | {line}\n  {' ' * len(number)} | {padding}{carets}"


class DockerfileError(InvalidArgument):
    """`problem` at a place of a Dockerfile; the message names file, line and column and shows the line."""

    def __init__(
        self, source: Source, position: Position, problem: str, *, width: int = 1, hint: str | None = None
    ) -> None:
        place = f"{source.name}:{position.line}:{position.column}"
        super().__init__(f"{place}: {problem}\n{source.excerpt(position, width)}", hint=hint)
        self.file = source.name
        self.line = position.line
        self.column = position.column
        self.problem = problem


Mark = tuple[int, int, int]
"""From this offset of a Text on, characters come from this line, beginning at this column."""


class Text:
    """A string of the file: `value` is what it says, position() where each character stands."""

    __slots__ = ("_marks", "value")

    def __init__(self, value: str, marks: Sequence[Mark]) -> None:
        self.value = value
        self._marks = tuple(marks)

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        return f"Text({self.value!r})"

    def position(self, offset: int = 0) -> Position:
        """Where the character at `offset` stands (the end of the text is a place too)."""
        index = bisect_right(self._marks, offset, key=_mark_offset) - 1
        start, line, column = self._marks[max(index, 0)]
        return Position(line, column + offset - start)

    def slice(self, start: int, stop: int | None = None) -> Text:
        """The part from `start` to `stop`, with its places."""
        end = len(self.value) if stop is None else stop
        first = max(bisect_right(self._marks, start, key=_mark_offset) - 1, 0)
        marks: list[Mark] = []
        for offset, line, column in self._marks[first:]:
            if offset > end:
                break
            skipped = max(start - offset, 0)
            marks.append((max(offset - start, 0), line, column + skipped))
        return Text(self.value[start:end], marks)

    def strip(self) -> Text:
        """Without the white space around it."""
        stripped = self.value.strip()
        start = len(self.value) - len(self.value.lstrip())
        return self.slice(start, start + len(stripped))


def error_at(source: Source, at: Text, problem: str, *, hint: str | None = None) -> DockerfileError:
    """`problem` with this piece of the file, which is underlined as far as it stands on one line."""
    width = len(at) if at.position(len(at)).line == at.position().line else 1
    return DockerfileError(source, at.position(), problem, width=width, hint=hint)


class Placed(Text):
    """A string that is not in the file letter by letter (it was unquoted or decoded): all of it stands at one place."""

    __slots__ = ("_place",)

    def __init__(self, value: str, place: Position) -> None:
        super().__init__(value, ())
        self._place = place

    def position(self, offset: int = 0) -> Position:
        return self._place

    def slice(self, start: int, stop: int | None = None) -> Text:
        return Placed(self.value[start:stop], self._place)


def _mark_offset(mark: Mark) -> int:
    return mark[0]
