"""Label selectors: KEY, !KEY, KEY=VALUE, KEY!=VALUE, KEY in (A,B), KEY notin (A,B), KEY>1, KEY<1; all must hold.

Spec:  k8s.io/apimachinery/pkg/labels, "Parse", with its words for what is wrong. `!=` and `notin` hold where the label
       is absent. "in" and "notin" are keys and values where an operator can not stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum

import msgspec

from jubako.cluster.types.validation.names import label_value, qualified_name
from jubako.errors import InvalidArgument

_TOKEN = re.compile(r"[ \t\r\n]*(==|!=|[=!(),<>]|[^=!(),<> \t\r\n]+|\Z)")
_SYMBOLS = frozenset(("==", "!=", "=", "!", "(", ")", ",", "<", ">", ""))
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")


class Operator(Enum):
    IN = "in"
    NOT_IN = "notin"
    EXISTS = "exists"
    DOES_NOT_EXIST = "!"
    GREATER_THAN = "gt"
    LESS_THAN = "lt"


_BINARY = {
    "in": Operator.IN,
    "notin": Operator.NOT_IN,
    "=": Operator.IN,
    "==": Operator.IN,
    "!=": Operator.NOT_IN,
    ">": Operator.GREATER_THAN,
    "<": Operator.LESS_THAN,
}
_SETS = ("in", "notin")


class Requirement(msgspec.Struct, frozen=True):
    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        return _MATCH[self.operator](labels.get(self.key), self.values)


class LabelSelector(msgspec.Struct, frozen=True):
    """All requirements; with none, everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(each.matches(labels) for each in self.requirements)


def parse_labels(text: str) -> LabelSelector:
    """Read a label selector; InvalidArgument."""
    return LabelSelector(tuple(_Parser(text).requirements()))


class _Parser:
    """A cursor over the tokens; the last one is "", the end."""

    def __init__(self, text: str) -> None:
        self._tokens = [found[1] for found in _TOKEN.finditer(text)]
        self._position = 0

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        while self._next != "":
            if self._next != "!" and not self._at_word():
                raise InvalidArgument(f"found '{self._next}', expected: !, identifier, or 'end of string'")
            found.append(self._requirement())
            separator = self._take()
            if separator == "":
                break
            if separator != ",":
                raise InvalidArgument(f"found '{separator}', expected: ',' or 'end of string'")
            if self._next != "!" and not self._at_word():
                raise InvalidArgument(f"found '{self._next}', expected: identifier after ','")
        return found

    def _requirement(self) -> Requirement:
        absent = self._next == "!"
        if absent:
            self._take()
        key = self._word("identifier")
        _check(qualified_name(key), "<nil>", key)
        if absent:
            return Requirement(key, Operator.DOES_NOT_EXIST)
        if self._next in ("", ","):
            return Requirement(key, Operator.EXISTS)
        spelled = self._take()
        if spelled not in _BINARY:
            raise _unparsable(spelled, ", expected: in, notin, =, ==, !=, gt, lt")
        values = self._set() if spelled in _SETS else (self._value(),)
        return _checked(Requirement(key, _BINARY[spelled], values))

    def _value(self) -> str:
        return "" if self._next in ("", ",") else self._word("identifier")

    def _set(self) -> tuple[str, ...]:
        opened = self._take()
        if opened != "(":
            raise _unparsable(opened, " expected: '('")
        if self._next not in (")", ",") and not self._at_word():
            raise _unparsable(self._next, ", expected: ',', ')' or identifier")
        values = [self._element()]
        while self._next == ",":
            self._take()
            values.append(self._element())
        closed = self._take()
        if closed != ")":
            raise _unparsable(closed, ", expected: ',' or ')'")
        return tuple(dict.fromkeys(values))

    def _element(self) -> str:
        return "" if self._next in (",", ")") else self._word("',', or identifier")

    def _word(self, expected: str) -> str:
        if not self._at_word():
            raise _unparsable(self._next, f", expected: {expected}")
        return self._take()

    @property
    def _next(self) -> str:
        return self._tokens[self._position]

    def _at_word(self) -> bool:
        return self._next not in _SYMBOLS

    def _take(self) -> str:
        token = self._next
        self._position = min(self._position + 1, len(self._tokens) - 1)
        return token


def _unparsable(found: str, rest: str) -> InvalidArgument:
    return InvalidArgument(f"unable to parse requirement: found '{found}'{rest}")


def _check(problems: list[str], place: str, value: str) -> None:
    if problems:
        raise InvalidArgument(f'unable to parse requirement: {place}: Invalid value: "{value}": {"; ".join(problems)}')


def _checked(requirement: Requirement) -> Requirement:
    for index, value in enumerate(requirement.values):
        if requirement.operator in (Operator.GREATER_THAN, Operator.LESS_THAN) and _number(value) is None:
            _check(["for 'Gt', 'Lt' operators, the value must be an integer"], f"values[{index}]", value)
        _check(label_value(value), f"values[{index}][{requirement.key}]", value)
    return requirement


def _number(text: str | None) -> int | None:
    """A number of 64 bits."""
    if text is None or not _INTEGER.fullmatch(text) or not -(1 << 63) <= int(text) < 1 << 63:
        return None
    return int(text)


def _compared(holds: Callable[[int, int], bool]) -> Callable[[str | None, tuple[str, ...]], bool]:
    def compare(label: str | None, values: tuple[str, ...]) -> bool:
        one, other = _number(label), _number(values[0])
        return one is not None and other is not None and holds(one, other)

    return compare


_MATCH: dict[Operator, Callable[[str | None, tuple[str, ...]], bool]] = {
    Operator.IN: lambda label, values: label is not None and label in values,
    Operator.NOT_IN: lambda label, values: label is None or label not in values,
    Operator.EXISTS: lambda label, values: label is not None,
    Operator.DOES_NOT_EXIST: lambda label, values: label is None,
    Operator.GREATER_THAN: _compared(int.__gt__),
    Operator.LESS_THAN: _compared(int.__lt__),
}
