"""A small option parser that behaves as Docker's command line does (Go's pflag).

A command declares its options as a table of `Option`. Long options take `--name value` or `--name=value`, short ones
`-n value`, `-nvalue` or `-n=value`; short booleans cluster (`-it`), and a boolean takes a value only after `=`.
Options stop at `--`, and at the first operand where a command passes the rest on (`run`, `exec`).
Messages are pflag's, since scripts and people know them. Values are checked while parsing, by the option's `Kind`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from jubako.cli import quantities


class UsageError(Exception):
    """The command line itself is wrong; the message is shown with the command's usage line."""

    def __init__(self, message: str, code: int = 125) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class UnknownCommand(UsageError):
    """There is no command of that name."""

    def __init__(self, path: str, known: Iterable[str]) -> None:
        from jubako.spec.suggestion import suggestion

        super().__init__(f"unknown command: {path}{suggestion(path.rpartition(' ')[2], known)}", 1)


class WrongOperands(UsageError):
    """The command was given too few or too many operands; `rule` says how many it takes."""

    def __init__(self, path: str, rule: str) -> None:
        super().__init__(f"'{path}' {rule}", 1)


class Kind:
    """How the text of an option becomes a value; `label` is the word that help shows for the value."""

    __slots__ = ("label", "many", "parse", "split")

    def __init__(
        self, label: str, parse: Callable[[str], object], *, many: bool = False, split: str | None = None
    ) -> None:
        self.label = label
        self.parse = parse
        self.many = many
        self.split = split


FLAG = Kind("", quantities.boolean)
TEXT = Kind("string", str)
INT = Kind("int", quantities.integer)
SIZE = Kind("bytes", quantities.ram_bytes)
SWAP = Kind("bytes", quantities.swap_bytes)
CPUS = Kind("decimal", quantities.nano_cpus)
DURATION = Kind("duration", quantities.duration_ns)
LIST = Kind("list", str, many=True)
STRINGS = Kind("strings", str, many=True, split=",")
MAP = Kind("map", quantities.pair, many=True)
FILTER = Kind("filter", quantities.filter_pair, many=True)


class Option:
    """One row of a command's table; `default` is the value when the option is not given."""

    __slots__ = ("default", "help", "hidden", "kind", "name", "short")

    def __init__(
        self, name: str, short: str, kind: Kind, help: str, default: object = None, *, hidden: bool = False
    ) -> None:
        self.name = name
        self.short = short
        self.kind = kind
        self.help = help
        self.default = default
        self.hidden = hidden

    def shown(self) -> str:
        """The option as error messages name it."""
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"


HELP = Option("help", "", FLAG, "Print usage", hidden=True)


class Arguments:
    """What the user gave: typed access to options by name, and the operands that are left."""

    __slots__ = ("_given", "_table", "operands")

    def __init__(self, table: dict[str, Option], given: dict[str, object], operands: list[str]) -> None:
        self._table = table
        self._given = given
        self.operands = operands

    def given(self, name: str) -> bool:
        return name in self._given

    def _value(self, name: str) -> object:
        value = self._given.get(name)
        return self._table[name].default if value is None else value

    def flag(self, name: str) -> bool:
        return bool(self._value(name))

    def text(self, name: str) -> str:
        value = self._value(name)
        return value if isinstance(value, str) else ""

    def optional(self, name: str) -> str | None:
        """The text, or None where the option was not given; an empty text counts as given."""
        value = self._value(name)
        return value if isinstance(value, str) else None

    def number(self, name: str) -> int | None:
        value = self._value(name)
        return value if isinstance(value, int) else None

    def texts(self, name: str) -> list[str]:
        value = self._value(name)
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def pairs(self, name: str) -> list[tuple[str, str]]:
        value = self._value(name)
        return [item for item in value if isinstance(item, tuple)] if isinstance(value, list) else []


class _Parser:
    def __init__(self, table: dict[str, Option], argv: Sequence[str]) -> None:
        self.by_name = table
        self.by_short = {option.short: option for option in table.values() if option.short}
        self.rest = list(argv)
        self.given: dict[str, object] = {}

    def store(self, option: Option, text: str) -> None:
        kind = option.kind
        try:
            values = [kind.parse(part) for part in (text.split(kind.split) if kind.split else (text,))]
        except ValueError as error:
            raise UsageError(f'invalid argument "{text}" for "{option.shown()}" flag: {error}') from None
        if not kind.many:
            self.given[option.name] = values[0]
            return
        held = self.given.setdefault(option.name, [])
        if isinstance(held, list):
            held.extend(values)

    def long(self, word: str) -> None:
        name, equals, value = word[2:].partition("=")
        if not name or name.startswith("-"):
            raise UsageError(f"bad flag syntax: {word}")
        option = self.by_name.get(name)
        if option is None:
            from jubako.spec.suggestion import suggestion

            shown = (known for known, option in self.by_name.items() if not option.hidden)
            raise UsageError(f"unknown flag: --{name}{suggestion(name, shown, '--')}")
        if equals:
            self.store(option, value)
        elif option.kind is FLAG:
            self.given[name] = True
        elif self.rest:
            self.store(option, self.rest.pop(0))
        else:
            raise UsageError(f"flag needs an argument: --{name}")

    def shorts(self, word: str) -> None:
        letters = word[1:]
        while letters:
            letter, after = letters[0], letters[1:]
            option = self.by_short.get(letter)
            if option is None and letter == "h":
                option = HELP
            if option is None:
                raise UsageError(f"unknown shorthand flag: '{letter}' in -{letters}")
            if len(after) > 1 and after[0] == "=":
                self.store(option, after[1:])
                return
            if option.kind is not FLAG:
                self.short_value(option, letters)
                return
            self.given[option.name] = True
            letters = after

    def short_value(self, option: Option, letters: str) -> None:
        if len(letters) > 1:
            self.store(option, letters[1:])
        elif self.rest:
            self.store(option, self.rest.pop(0))
        else:
            raise UsageError(f"flag needs an argument: '{letters}' in -{letters}")

    def parse(self, interspersed: bool) -> list[str]:
        operands: list[str] = []
        while self.rest:
            word = self.rest.pop(0)
            if word == "--":
                break
            if word.startswith("--"):
                self.long(word)
            elif len(word) > 1 and word[0] == "-":
                self.shorts(word)
            else:
                operands.append(word)
                if not interspersed:
                    break
        return operands + self.rest


def parse(options: Sequence[Option], argv: Sequence[str], *, interspersed: bool = True) -> Arguments:
    """Parse `argv` by the table; raises UsageError with pflag's message."""
    table = {option.name: option for option in options}
    table["help"] = HELP
    parser = _Parser(table, argv)
    operands = parser.parse(interspersed)
    return Arguments(table, parser.given, operands)
