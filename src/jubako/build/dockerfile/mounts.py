"""The `--mount` flags of RUN: which options each type knows.

Spec: Dockerfile reference, "RUN --mount".
"""

from __future__ import annotations

import msgspec

from jubako.build.dockerfile.source import Text

_NAMES = {
    "dst": "target",
    "destination": "target",
    "src": "source",
    "rw": "readwrite",
    "ro": "readonly",
}
_OPTIONS = {
    "bind": frozenset({"target", "source", "from", "readwrite", "readonly"}),
    "cache": frozenset({"id", "target", "readonly", "readwrite", "sharing", "mode", "uid", "gid", "from", "source"}),
    "tmpfs": frozenset({"target", "size"}),
    "secret": frozenset({"id", "target", "required", "mode", "uid", "gid", "env"}),
    "ssh": frozenset({"id", "target", "required", "mode", "uid", "gid"}),
}
_FLAGS = frozenset({"readwrite", "readonly", "required"})
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
    for field in at.value.split(","):
        name, equals, value = field.partition("=")
        name = _NAMES.get(name.strip().lower(), name.strip().lower())
        if name == "type":
            kind = value.lower()
        elif not equals and name not in _FLAGS:
            raise BadMount(f"invalid field '{field}': it must be a key=value pair")
        else:
            options[name] = value if equals else "true"
    _check(kind, options)
    return MountFlag(kind, options, at)


def _check(kind: str, options: dict[str, str]) -> None:
    if kind not in _OPTIONS:
        raise BadMount(f"unsupported mount type {kind!r}: it is one of {', '.join(_OPTIONS)}")
    for name in options:
        if name not in _OPTIONS[kind]:
            raise BadMount(f"unexpected key '{name}' for mount type '{kind}'")
    if kind == "secret":
        if not (options.get("id") or options.get("target")):
            raise BadMount("a secret needs an id")
    elif kind != "ssh" and not options.get("target"):
        raise BadMount(f"a mount of type {kind} needs a target")
    if kind == "cache" and "source" in options and "from" not in options:
        raise BadMount("a cache has a source only in what from names")
    if options.get("sharing", "shared") not in _SHARING:
        raise BadMount(f"unsupported sharing value {options['sharing']!r}: it is one of {', '.join(_SHARING)}")
