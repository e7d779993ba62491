"""What the grammar of one instruction works with: its statement, its flags and the ways to fail at a place."""

from __future__ import annotations

from jubako.build.dockerfile.devices import BadDevice, DeviceFlag, parse_device
from jubako.build.dockerfile.instructions import Command, KeyValue
from jubako.build.dockerfile.lexer import Lexed, Statement
from jubako.build.dockerfile.mounts import BadMount, MountFlag, parse_mount
from jubako.build.dockerfile.source import DockerfileError, Placed, Position, Text, error_at
from jubako.build.dockerfile.words import (
    NotStrings,
    json_strings,
    split_flags,
    split_quoted,
    split_spaces,
    unquoted,
)
from jubako.build.truth import truth
from jubako.spec.suggestion import suggestion

FLAGS: dict[str, frozenset[str]] = {
    "FROM": frozenset({"platform"}),
    "RUN": frozenset({"mount", "network", "security", "device"}),
    "COPY": frozenset({"from", "chown", "chmod", "link", "parents", "exclude"}),
    "ADD": frozenset({"chown", "chmod", "link", "exclude", "checksum", "keep-git-dir", "unpack"}),
    "HEALTHCHECK": frozenset({"interval", "timeout", "start-period", "start-interval", "retries"}),
}
_BOOLEANS = frozenset({"link", "parents", "keep-git-dir", "unpack"})
_NOT_EMPTY = _BOOLEANS | {"exclude"}


class Context:
    """One statement under its keyword; `body` is what follows the flags."""

    def __init__(self, lexed: Lexed, statement: Statement) -> None:
        self._lexed = lexed
        self.source = lexed.source
        self.escape = lexed.escape
        self.statement = statement
        self.keyword = statement.keyword.upper()
        words, self.body = split_flags(statement.body, self.escape)
        self.flags: dict[str, Text] = {}
        self.mounts: list[MountFlag] = []
        self.devices: list[DeviceFlag] = []
        self.excludes: list[Text] = []
        for word in words:
            self._take_flag(word)

    @property
    def position(self) -> Position:
        return self.statement.position

    def text(self) -> str:
        """The instruction on one line, for people."""
        return " ".join([self.keyword, *self.statement.body.value.split()])

    def fail(self, at: Text, problem: str, *, hint: str | None = None) -> DockerfileError:
        return error_at(self.source, at, problem, hint=hint)

    def fail_here(self, problem: str) -> DockerfileError:
        """An error about the instruction as a whole."""
        return DockerfileError(self.source, self.position, problem, width=len(self.statement.keyword))

    def trigger(self) -> Context:
        """The instruction that an ONBUILD carries."""
        keyword = self.body.value.split(None, 1)[0]
        statement = self.statement
        body = self.body.slice(len(keyword)).strip()
        return Context(self._lexed, Statement(keyword, self.body, body, statement.heredocs, statement.last_line))

    def single(self) -> Text:
        """The whole rest, as the one argument."""
        if not self.body.value:
            raise self.fail_here(f"{self.keyword} requires exactly one argument")
        return self.body

    def words(self) -> list[Text]:
        return split_spaces(self.body)

    def list_or_words(self) -> list[Text]:
        """The strings of the JSON form, or the words between white space."""
        strings = self._json()
        return self.words() if strings is None else [Placed(text, self.body.position()) for text in strings]

    def command(self) -> Command:
        """The JSON form if it is one, else the shell form; nothing at all is the empty command of a shell."""
        strings = self._json()
        return Command([self.body.value], shell=True) if strings is None else Command(strings, shell=False)

    def pairs(self) -> list[KeyValue]:
        """`key=value …`, or the old form `key all the rest`."""
        words = split_quoted(self.body, self.escape)
        if not words:
            raise self.fail_here(f"{self.keyword} requires at least one argument")
        if "=" not in words[0].value:
            return [self._old_pair(words[0])]
        return [self._pair(word) for word in words]

    def pair_or_name(self, word: Text) -> KeyValue:
        offset = word.value.find("=")
        if offset < 0:
            return KeyValue(word, None)
        if offset == 0:
            raise self.fail(word, f"{self.keyword} names can not be blank")
        return KeyValue(word.slice(0, offset), word.slice(offset + 1))

    def _pair(self, word: Text) -> KeyValue:
        if "=" not in word.value:
            raise self.fail(word, f'Syntax error - can\'t find = in "{word.value}". Must be of the form: name=value')
        return self.pair_or_name(word)

    def _old_pair(self, key: Text) -> KeyValue:
        value = self.body.slice(len(key)).strip()
        if not value.value:
            raise self.fail(key, f"{self.keyword} must have two arguments")
        return KeyValue(key, value)

    def _json(self) -> list[str] | None:
        try:
            return json_strings(self.body.value)
        except NotStrings:
            raise self.fail(
                self.body, "when using JSON array syntax, arrays must be comprised of strings only"
            ) from None

    def truth(self, name: str) -> bool | None:
        """The value of a boolean flag, None when it is not given."""
        text = self.flags.get(name)
        if text is None:
            return None
        value = truth(text.value)
        if value is None:
            raise self.fail(text, f"expecting boolean value for flag {name}, not: {text.value}")
        return value

    def _take_flag(self, word: Text) -> None:
        name, equals, value = unquoted(word.value)[2:].partition("=")
        known = FLAGS.get(self.keyword, frozenset())
        if name not in known:
            raise self.fail(word, f"unknown flag: --{name}{suggestion(name, known)}")
        text = Placed(value, word.position())
        if name in ("mount", "device"):
            self._take_many(name, text, word)
            return
        if name in self.flags:
            raise self.fail(word, f"duplicate flag specified: {name}")
        if name in _BOOLEANS and not equals:
            equals, value = "=", "true"
            text = Placed("true", word.position())
        if not equals or (not value and name in _NOT_EMPTY):
            raise self.fail(word, f"missing a value on flag: --{name}")
        if name == "exclude":
            self.excludes.append(text)
        elif text.value:
            self.flags[name] = text

    def _take_many(self, name: str, value: Text, word: Text) -> None:
        try:
            if name == "mount":
                self.mounts.append(parse_mount(value))
            else:
                self.devices.append(parse_device(value))
        except (BadMount, BadDevice) as error:
            raise self.fail(word, str(error)) from None
