"""The `--mount` flags of RUN: which options each type knows.

Values may hold variables, the type too; what depends on them is checked once they are expanded.
Spec: Dockerfile reference, "RUN --mount"; BuildKit instructions/commands_runmount.go.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from jubako.build.dockerfile.source import Text
from jubako.spec.suggestion import suggestion

_NAMES = {
    "dst": "target",
    "destination": "target",
    "src": "source",
    "rw": "readwrite",
    "ro": "readonly",
}
_EVERYWHERE = frozenset({"id", "target", "readonly", "readwrite"})
_OPTIONS = {
    "bind": _EVERYWHERE | {"source", "from"},
    "cache": _EVERYWHERE | {"sharing", "mode", "uid", "gid", "from", "source"},
    "tmpfs": _EVERYWHERE | {"size"},
    "secret": _EVERYWHERE | {"source", "required", "mode", "uid", "gid", "env"},
    "ssh": _EVERYWHERE | {"required", "mode", "uid", "gid"},
}
_KNOWN = frozenset({"type", *_NAMES}).union(*_OPTIONS.values())
_FLAGS = frozenset({"readwrite", "readonly", "required"})
_OPPOSITES = {"readwrite": "readonly", "readonly": "readwrite"}
_SHARING = ("shared", "private", "locked")


class MountFlag(msgspec.Struct, frozen=True):
    """One flag, its options by their full names, values not yet expanded; `at` is where it stands."""

    kind: str
    options: dict[str, str]
    at: Text


class BadMount(ValueError):
    """What is wrong with the flag."""


def parse_mount(at: Text) -> MountFlag:
    """Read `type=cache,target=/x,…`. Raises BadMount."""
    options: dict[str, str] = {}
    kind = "bind"
    for field in _fields(at.value):
        written, equals, value = field.partition("=")
        name = _NAMES.get(written.strip().lower(), written.strip().lower())
        if name != "type" and name not in _KNOWN:
            raise BadMount(f"unexpected key '{written}' in '{field}'{suggestion(written.lower(), sorted(_KNOWN))}")
        if not equals and name not in _FLAGS:
            raise BadMount(f"invalid field '{field}': it must be a key=value pair")
        if name == "type":
            kind = value
            continue
        options.pop(_OPPOSITES.get(name, ""), None)
        options[name] = value if equals else "true"
    if "$" in options.get("from", ""):
        raise BadMount("'from' doesn't support variable expansion: name a stage that is FROM the variable instead")
    if "$" not in kind:
        check_mount(kind, {name: value for name, value in options.items() if "$" not in value}, options)
    return MountFlag(kind, options, at)


def check_mount(kind: str, known: Mapping[str, str], given: Mapping[str, str]) -> None:
    """Whether the type takes these options; `known` are those of the `given` whose values are. Raises BadMount."""
    if kind.lower() not in _OPTIONS:
        choice = suggestion(kind, _OPTIONS) or f": it is one of {', '.join(_OPTIONS)}"
        raise BadMount(f'unsupported mount type "{kind}"{choice}')
    kind = kind.lower()
    for name in given:
        if name not in _OPTIONS[kind]:
            raise BadMount(f"unexpected key '{name}' for mount type '{kind}'")
    if kind == "secret" and not {"id", "source", "target"} & set(given):
        raise BadMount("a secret needs an id")
    if kind == "secret" and {"id", "source"} <= set(given):
        raise BadMount("a secret's id and source are the same: they can't both be given")
    if kind == "cache" and "source" in given and "from" not in given:
        raise BadMount("a cache has a source only in what from names")
    sharing = known.get("sharing", "shared")
    if sharing.lower() not in _SHARING:
        choice = suggestion(sharing, _SHARING) or f": it is one of {', '.join(_SHARING)}"
        raise BadMount(f'unsupported sharing value "{sharing}"{choice}')


def _fields(text: str) -> list[str]:
    """A field with a comma in it stands in double quotes, as in a CSV file."""
    if not text:
        raise BadMount("the flag is empty")
    if '"' not in text:
        return text.split(",")
    import csv

    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise BadMount(f"the fields can not be told apart: {error}") from None
