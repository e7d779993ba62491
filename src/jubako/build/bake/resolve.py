"""From definitions to targets: groups, inheritance and matrices worked out, overrides laid over.

A target inherits from others in their order, each deeper one first; its own attributes come last. `args`, `labels` and
`contexts` are merged name by name, everything else is replaced.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec

from jubako.build.bake.definitions import MERGED, Definitions
from jubako.build.bake.environment import Environment
from jubako.build.bake.expressions import Expression, Inner, Scope, constant
from jubako.build.bake.overrides import Override, overridden
from jubako.build.bake.target import Target, target_of
from jubako.build.bake.values import BakeError, Value, list_of, map_of, text_of, within_limits
from jubako.errors import NotFound

_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_OWN = ("inherits", "matrix", "name")


class Plan(msgspec.Struct, frozen=True):
    """`groups` name their members; `targets` are in the order in which they are to be built."""

    groups: dict[str, list[str]]
    targets: dict[str, Target]


class Resolver:
    def __init__(
        self, definitions: Definitions, environ: Mapping[str, str], overrides: Sequence[Override] = ()
    ) -> None:
        self._definitions = definitions
        self._scope = Environment(definitions, environ)
        self._overrides = overrides
        self._concrete: dict[str, tuple[str, Scope]] = {}
        self._matrices: dict[str, list[str]] = {}
        self._scope.refer("target", _Referred(self._attributes_referred_to))
        with within_limits():
            self._scope.check_variables()
            for name in definitions.targets:
                self._expand(name)

        for override in overrides:
            if not any(fnmatchcase(name, override.pattern) for name in self._concrete):
                raise NotFound(
                    "target", override.pattern, message=f"could not find any target matching '{override.pattern}'"
                )

    @within_limits()
    def plan(self, names: Sequence[str]) -> Plan:
        """What the command line's words mean; `default` without any. Raises NotFound and BakeError."""
        wanted = list(names) or ["default"]
        groups: dict[str, list[str]] = {}
        found: dict[str, None] = {}
        for name in wanted:
            found.update(dict.fromkeys(self._members(name, groups, ())))
        groups.setdefault("default", wanted if names else list(found))
        if names:
            groups["default"] = wanted
        targets: dict[str, Target] = {}
        for name in found:
            self._add(name, targets, ())
        return Plan(dict(sorted(groups.items())), targets)

    @within_limits()
    def names(self) -> dict[str, str]:
        """Every group and target with its description, for `--list`."""
        rows = dict.fromkeys(self._concrete, "")
        for name, attributes in self._definitions.groups.items():
            rows[name] = text_of(attributes["description"](self._scope)) if "description" in attributes else ""
        for name, (base, scope) in self._concrete.items():
            for definition in self._definitions.targets[base]:
                if "description" in definition:
                    rows[name] = text_of(definition["description"](scope))
        return dict(sorted(rows.items()))

    def _expand(self, name: str) -> None:
        """Enter a target, or the targets that its matrix makes of it."""
        merged = {key: value for part in self._definitions.targets[name] for key, value in part.items()}
        if "matrix" not in merged:
            self._enter(name, name, self._scope)
            return
        axes = map_of(merged["matrix"](self._scope))
        self._matrices[name] = []
        for values in itertools.product(*(list_of(axis) for axis in axes.values())):
            scope = Inner(self._scope, dict(zip(axes, values, strict=True)))
            own = text_of(merged["name"](scope)) if "name" in merged else _matrix_name(name, values)
            self._enter(own, name, scope)
            self._matrices[name].append(own)

    def _enter(self, name: str, base: str, scope: Scope) -> None:
        if not _NAME.fullmatch(name):
            raise BakeError(f'invalid target name "{name}": only letters, digits, "-" and "_" are allowed')
        if name in self._concrete:
            raise BakeError(f'target "{name}" is made twice by the matrix of "{base}"')
        self._concrete[name] = (base, scope)

    def _members(self, name: str, groups: dict[str, list[str]], inside: tuple[str, ...]) -> list[str]:
        if name in inside:
            raise BakeError(f"infinite loop from group {name}")
        if name in self._definitions.groups:
            members = self._definitions.groups[name].get("targets", constant([]))(self._scope)
            groups[name] = [text_of(member) for member in list_of(members)]
        elif name in self._matrices:
            groups[name] = self._matrices[name]
        elif name in self._concrete:
            return [name]
        else:
            raise NotFound("target", name, message=f"failed to find target {name}")
        return [each for member in groups[name] for each in self._members(member, groups, (*inside, name))]

    def _add(self, name: str, targets: dict[str, Target], inside: tuple[str, ...]) -> None:
        """Put a target behind those that its contexts name."""
        if name in inside:
            raise BakeError(f"infinite loop of contexts: {' -> '.join([*inside, name])}")
        if name in targets:
            return
        if name not in self._concrete:
            raise NotFound("target", name, message=f"failed to find target {name}")
        attributes = overridden(name, self._attributes(name, ()), self._overrides)
        target = target_of(name, attributes)
        for context in target.contexts.values():
            if context.startswith("target:"):
                self._add(context.removeprefix("target:"), targets, (*inside, name))
        targets[name] = target

    def _attributes(self, name: str, inside: tuple[str, ...]) -> dict[str, Value]:
        if name in inside:
            raise BakeError(f"infinite loop of inherits: {' -> '.join([*inside, name])}")
        if name not in self._concrete:
            raise NotFound("target", name, message=f"failed to find target {name}")
        base, scope = self._concrete[name]
        found: dict[str, Value] = {}
        for definition in self._definitions.targets[base]:
            for parent in list_of(definition["inherits"](scope)) if "inherits" in definition else ():
                _lay_over(found, self._attributes(text_of(parent), (*inside, name)))
        for definition in self._definitions.targets[base]:
            _lay_over(found, self._evaluated(name, definition, scope))
        return found

    def _attributes_referred_to(self, name: str) -> Value:
        """A target as `target.NAME` means it: what it says itself, each attribute worked out when it is asked for."""
        base, scope = self._concrete[name]
        said = {key: value for part in self._definitions.targets[base] for key, value in part.items()}
        return _Referred(lambda key: said[key](scope))

    def _evaluated(self, name: str, definition: Mapping[str, Expression], scope: Scope) -> dict[str, Value]:
        found = {}
        for key, expression in definition.items():
            if key not in _OWN:
                try:
                    found[key] = expression(scope)
                except BakeError as problem:
                    raise BakeError(f'target "{name}": {key}: {problem.message}') from None
        return found


class _Referred(dict[str, Value]):
    """A map that finds its values when they are asked for; a KeyError says that there is none."""

    def __init__(self, find: Callable[[str], Value]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, key: str) -> Value:
        return self._find(key)


def _lay_over(found: dict[str, Value], others: Mapping[str, Value]) -> None:
    for key, value in others.items():
        if value is None:
            continue
        below = found.get(key)
        if key in MERGED and isinstance(below, dict) and isinstance(value, dict):
            found[key] = {**below, **value}
        else:
            found[key] = value


def _matrix_name(name: str, values: Sequence[Value]) -> str:
    parts = [re.sub(r"[^a-zA-Z0-9_-]", "-", text_of(value)) for value in values]
    return "-".join([name, *parts])
