"""What a command is: its options, its operands and the function that does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from jubako.cli.options import Option, WrongOperands

if TYPE_CHECKING:
    from jubako.cli.call import Call
    from jubako.cli.options import Arguments


class Operands:
    """How many operands a command takes; `most` is None where there is no limit."""

    __slots__ = ("least", "most")

    def __init__(self, least: int, most: int | None) -> None:
        self.least = least
        self.most = most

    def check(self, count: int, path: str) -> None:
        if self.least <= count and (self.most is None or count <= self.most):
            return
        raise WrongOperands(path, self._rule())

    def _rule(self) -> str:
        if self.most == 0:
            return "accepts no arguments"
        if self.most is None:
            return f"requires at least {_arguments(self.least)}"
        if self.least == self.most:
            return f"requires {_arguments(self.least)}"
        if self.least == 0:
            return f"requires at most {_arguments(self.most)}"
        return f"requires at least {self.least} and at most {_arguments(self.most)}"


def _arguments(count: int) -> str:
    return f"{count} argument" if count == 1 else f"{count} arguments"


NONE = Operands(0, 0)
ANY = Operands(0, None)
ONE = Operands(1, 1)
TWO = Operands(2, 2)
ONE_OR_TWO = Operands(1, 2)
SOME = Operands(1, None)
AT_MOST_ONE = Operands(0, 1)


class Command:
    """The table of one command; `usage` is what follows its name, `run` returns the exit code.

    `examples` are what follows `jubako `, for commands that nobody knows from docker or kubectl. `kin` tells, by the
    words after the name, of another command that goes by the same name.
    """

    __slots__ = ("details", "examples", "interspersed", "kin", "operands", "options", "run", "usage")

    def __init__(
        self,
        run: Callable[[Call, Arguments], int],
        usage: str,
        operands: Operands = NONE,
        options: Sequence[Option] = (),
        *,
        interspersed: bool = True,
        details: str = "",
        examples: Sequence[str] = (),
        kin: Callable[[list[str]], Command | None] | None = None,
    ) -> None:
        self.run = run
        self.usage = usage
        self.operands = operands
        self.options = options
        self.interspersed = interspersed
        self.details = details
        self.examples = examples
        self.kin = kin

    def usage_lines(self, path: str) -> str:
        """The usage line of the command called as `path`; a second form stands on a line of its own."""
        return "\n\t".join(f"{path} {line}".rstrip() for line in self.usage.split("\n"))
