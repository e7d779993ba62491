"""The names that expressions of bake files see: variables (the process's environment first), constants, functions.

A variable keeps the type of its default when the environment sets it. Values are worked out when first asked for.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence

from jubako.build.bake import functions
from jubako.build.bake.definitions import Definitions, FunctionDefinition
from jubako.build.bake.expressions import Inner
from jubako.build.bake.types import converted, from_environment, type_of
from jubako.build.bake.values import BakeError, Value, list_of, number_of, text_of, truth_of
from jubako.image import platform as platforms

_DEPTH = 100


class Environment:
    """The outermost scope."""

    def __init__(self, definitions: Definitions, environ: Mapping[str, str]) -> None:
        self._definitions = definitions
        self._environ = environ
        self._values: dict[str, Value] = {
            "BAKE_CMD_CONTEXT": ".",
            "BAKE_LOCAL_PLATFORM": platforms.text(platforms.host()),
        }
        self._asked: list[str] = []
        self._depth = 0

    def refer(self, name: str, value: Value) -> None:
        """Let `name` stand for `value`."""
        self._values[name] = value

    def variable(self, name: str) -> Value:
        if name not in self._values:
            if name in self._asked:
                raise BakeError(f"variable cycle: {' -> '.join([*self._asked, name])}")
            self._asked.append(name)
            try:
                self._values[name] = self._value(name)
            finally:
                self._asked.pop()
            self._check(name)
        return self._values[name]

    def check_variables(self) -> None:
        """Work out all variables, also those that nothing asks for. Raises BakeError for what is wrong with them."""
        for name in self._definitions.variables:
            try:
                self.variable(name)
            except BakeError as problem:
                raise BakeError(f'variable "{name}": {problem.message}') from None

    def call(self, name: str, arguments: Sequence[Value]) -> Value:
        found = self._definitions.functions.get(name)
        if found is None:
            return functions.call(name, arguments)
        if self._depth > _DEPTH:
            raise BakeError(f"function {name} calls itself without end")
        self._depth += 1
        try:
            return found.result(Inner(self, _bound(name, found, arguments, self)))
        finally:
            self._depth -= 1

    def _value(self, name: str) -> Value:
        variable = self._definitions.variables.get(name)
        if variable is not None:
            default = variable.default(self) if variable.default else None
            if variable.type is not None:
                wanted = type_of(variable.type)
                given = name in self._environ or f"{name}_JSON" in self._environ
                return from_environment(name, self._environ, wanted) if given else converted(default, wanted)
            return _typed(name, self._environ[name], default) if name in self._environ else default
        if name in self._definitions.constants:
            return self._definitions.constants[name](self)
        raise BakeError(f'there is no variable named "{name}"')

    def _check(self, name: str) -> None:
        variable = self._definitions.variables.get(name)
        for condition, message in variable.checks if variable else ():
            if not truth_of(condition(self)):
                raise BakeError(f"invalid value of variable {name}: {text_of(message(self))}")


def _typed(name: str, text: str, default: Value) -> Value:
    try:
        if isinstance(default, bool):
            return truth_of(text)
        if isinstance(default, (int, float)):
            return number_of(text)
        if isinstance(default, list):
            row = next(csv.reader([text], strict=True), [])
            return [number_of(each) if default and isinstance(default[0], int) else each for each in row]
    except (BakeError, csv.Error) as problem:
        raise BakeError(f"failed to parse {name} from the environment: {problem}") from None
    return text


def _bound(name: str, function: FunctionDefinition, arguments: Sequence[Value], scope: Environment) -> dict[str, Value]:
    """The parameters with their values. Their names stand as bare words, which are variables anywhere else."""
    names = _names(function.parameters, scope)
    if len(arguments) < len(names) or (len(arguments) > len(names) and function.variadic is None):
        raise BakeError(f"{name} takes {len(names)} arguments, not {len(arguments)}")
    bound = dict(zip(names, arguments, strict=False))
    if function.variadic is not None:
        bound[_names(function.variadic, scope)[0]] = list(arguments[len(names) :])
    return bound


class _Words:
    """A scope in which each name is its own value."""

    def variable(self, name: str) -> Value:
        return name

    def call(self, name: str, arguments: Sequence[Value]) -> Value:
        raise BakeError("parameters are names")


def _names(parameters: object, scope: Environment) -> list[str]:
    assert callable(parameters)
    found = parameters(_Words())
    return [text_of(each) for each in (list_of(found) if isinstance(found, list) else [found])]
