"""One step of a field's path: f:NAME, k:{KEYS} (an element of a list, by its keys), v:VALUE (of a set), i:INDEX."""

from __future__ import annotations

import json
from collections.abc import Iterable

import msgspec

from jubako.cluster.types.document import JSON, Object
from jubako.errors import InvalidArgument


def field(name: str) -> str:
    return f"f:{name}"


def keyed(keys: Object) -> str:
    """Return the element with these keys, whose names are sorted."""
    return f"k:{_compact(keys)}"


def valued(value: JSON) -> str:
    return f"v:{_compact(value)}"


def canonical(element: str) -> str:
    """Return an element as it is written here. Raises InvalidArgument for what is none."""
    kind, colon, rest = element.partition(":")
    if element == "." or (kind == "f" and colon) or (kind == "i" and rest.isascii() and rest.isdigit()):
        return element
    if kind not in ("k", "v") or not colon:
        raise InvalidArgument(f"no element of a path: {element[:100]!r}")
    try:
        value: JSON = json.loads(rest)
    except (ValueError, RecursionError):
        raise InvalidArgument(f"no element of a path: {element[:100]!r}") from None
    if kind == "k" and not isinstance(value, dict):
        raise InvalidArgument(f"no keys of an element: {element[:100]!r}")
    return f"{kind}:{_compact(dict(sorted(value.items())) if isinstance(value, dict) else value)}"


def spelled(path: Iterable[str]) -> str:
    """Return a path as messages have it: .spec.containers[name="c"].image."""
    return "".join(_spelled(element) for element in path)


def _spelled(element: str) -> str:
    kind, _, rest = element.partition(":")
    match kind:
        case "f":
            return f".{rest}"
        case "k":
            return "[" + ",".join(f"{name}={_compact(value)}" for name, value in json.loads(rest).items()) + "]"
        case "v":
            return f"[={rest}]"
    return f"[{rest}]"


def _compact(value: JSON) -> str:
    return msgspec.json.encode(value).decode()
