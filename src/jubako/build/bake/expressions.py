"""Expressions: made once by the parser, evaluated in a scope as often as needed."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from jubako.build.bake.values import BakeError, Value, kind_of, list_of, map_of, number_of, text_of, truth_of


class Scope(Protocol):
    """Where names have their values. Both raise BakeError for what is not there."""

    def variable(self, name: str) -> Value: ...

    def call(self, name: str, arguments: Sequence[Value]) -> Value: ...


Expression = Callable[[Scope], Value]

_ARITHMETIC: dict[str, Callable[[int | float, int | float], int | float | bool]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


class Inner:
    """A scope with more names than the one around it."""

    def __init__(self, outer: Scope, names: Mapping[str, Value]) -> None:
        self._outer = outer
        self._names = names

    def variable(self, name: str) -> Value:
        return self._names[name] if name in self._names else self._outer.variable(name)

    def call(self, name: str, arguments: Sequence[Value]) -> Value:
        return self._outer.call(name, arguments)


def constant(value: Value) -> Expression:
    return lambda scope: value


def template(parts: Sequence[Expression]) -> Expression:
    """Pieces of a string; a single one that is no text keeps its type."""
    if len(parts) == 1:
        return parts[0]
    return lambda scope: "".join(text_of(part(scope)) for part in parts)


def binary(mark: str, left: Expression, right: Expression) -> Expression:
    match mark:
        case "&&":
            return lambda scope: truth_of(left(scope)) and truth_of(right(scope))
        case "||":
            return lambda scope: truth_of(left(scope)) or truth_of(right(scope))
        case "==":
            return lambda scope: left(scope) == right(scope)
        case "!=":
            return lambda scope: left(scope) != right(scope)
    return lambda scope: arithmetic(mark, left(scope), right(scope))


def arithmetic(mark: str, left: Value, right: Value) -> Value:
    try:
        result = _ARITHMETIC[mark](number_of(left), number_of(right))
    except ZeroDivisionError:
        raise BakeError("division by zero") from None
    return result if isinstance(result, bool) else number_of(result)


def negative(inner: Expression) -> Expression:
    return lambda scope: -number_of(inner(scope))


def opposite(inner: Expression) -> Expression:
    return lambda scope: not truth_of(inner(scope))


def conditional(test: Expression, yes: Expression, no: Expression) -> Expression:
    return lambda scope: yes(scope) if truth_of(test(scope)) else no(scope)


def call(name: str, arguments: Sequence[Expression], *, expand: bool) -> Expression:
    """A function's call; `try` and `can` see to their arguments themselves."""
    if name in ("try", "can"):
        return _attempt(name, arguments)

    def evaluate(scope: Scope) -> Value:
        values = [argument(scope) for argument in arguments]
        if expand:
            values[-1:] = list_of(values[-1])
        return scope.call(name, values)

    return evaluate


def _attempt(name: str, arguments: Sequence[Expression]) -> Expression:
    def evaluate(scope: Scope) -> Value:
        for argument in arguments:
            try:
                value = argument(scope)
            except BakeError:
                continue
            return True if name == "can" else value
        if name == "can":
            return False
        raise BakeError("no argument of try has a value")

    return evaluate


def index(inner: Expression, key: Expression) -> Expression:
    return lambda scope: item(inner(scope), key(scope))


def item(value: Value, key: Value) -> Value:
    try:
        if isinstance(value, list):
            position = number_of(key)
            if isinstance(position, int) and position >= 0:
                return value[position]
        elif isinstance(value, dict):
            return value[text_of(key)]
    except (IndexError, KeyError):
        raise BakeError(f"there is no element {text_of(key)}") from None
    raise BakeError(f"{kind_of(value)} has no element {text_of(key)}")


def splat(inner: Expression, attributes: Sequence[str]) -> Expression:
    def evaluate(scope: Scope) -> Value:
        found = inner(scope)
        values: list[Value] = [] if found is None else [found]
        if isinstance(found, list):
            values = found
        for name in attributes:
            values = [item(value, name) for value in values]
        return values

    return evaluate


def loop(
    names: Sequence[str],
    source: Expression,
    key: Expression | None,
    value: Expression,
    test: Expression | None,
    *,
    grouped: bool,
) -> Expression:
    """`[for …]`, or with a `key` `{for …}`."""

    def evaluate(scope: Scope) -> Value:
        made: list[Value] = []
        mapped: dict[str, Value] = {}
        for pair in _pairs(source(scope)):
            inner = Inner(scope, dict(zip(names, pair[-len(names) :], strict=True)))
            if test is not None and not truth_of(test(inner)):
                continue
            if key is None:
                made.append(value(inner))
            elif grouped:
                list_of(mapped.setdefault(text_of(key(inner)), [])).append(value(inner))
            else:
                mapped[text_of(key(inner))] = value(inner)
        return made if key is None else mapped

    return evaluate


def _pairs(value: Value) -> list[tuple[Value, Value]]:
    if isinstance(value, list):
        return list(enumerate(value))
    return list(map_of(value).items())
