"""`--set TARGETPATTERN.KEY[.NAME]=VALUE`: what the command line changes of targets.

A list is replaced by all values given for it together, or grows by them with `+=`.
Spec: buildx, "docker buildx bake --set".
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec

from jubako.build.bake.target import LISTS, MAPS
from jubako.build.bake.values import BakeError, Value, list_of, map_of, truth_of

_NAMES = {"platform": "platforms", "secrets": "secret"}
_OUTPUTS = {"push": "type=image,push=true", "load": "type=docker"}


class Override(msgspec.Struct, frozen=True):
    pattern: str
    key: str
    name: str
    value: str | None
    add: bool


def parse_override(text: str) -> Override:
    """Raises BakeError."""
    path, equals, value = text.partition("=")
    add = path.endswith("+")
    parts = path.removesuffix("+").split(".", 2)
    if not equals and parts[1:2] == ["args"] and len(parts) == 3:
        # As with --build-arg: the value of the caller's variable, nothing when there is none.
        return Override(parts[0], "args", parts[2], os.environ.get(parts[2]), add=False)
    if not equals or len(parts) < 2:
        raise BakeError(f"invalid override {text}, expected target.name=value")
    if (parts[1] in MAPS) != (len(parts) == 3):
        expected = "target.key.name=value" if parts[1] in MAPS else "target.key=value"
        raise BakeError(f"invalid override {text}, expected {expected}")
    return Override(parts[0], _NAMES.get(parts[1], parts[1]), parts[2] if len(parts) == 3 else "", value, add)


def overridden(name: str, attributes: Mapping[str, Value], overrides: Sequence[Override]) -> dict[str, Value]:
    """The attributes of target `name` with what is for it."""
    found = dict(attributes)
    begun: set[str] = set()
    for override in overrides:
        if not fnmatchcase(name, override.pattern):
            continue
        key = override.key
        if override.value is None:
            continue
        if key in _OUTPUTS:
            found["output"] = [_OUTPUTS[key]] if truth_of(override.value) else found.get("output")
        elif key in MAPS:
            found[key] = {**map_of(found.get(key) or {}), override.name: override.value}
        elif key in LISTS:
            before = list_of(found.get(key) or []) if override.add or key in begun else []
            found[key] = [*before, override.value]
            begun.add(key)
        else:
            found[key] = override.value
    return found
