"""JSON Pointers, and what stands where they point.

Spec: RFC 6901; RFC 6902 for "-", the place after the last element of a list.
"""

from __future__ import annotations

import re

from jubako.cluster.patch.failure import Unprocessable
from jubako.cluster.types.document import JSON
from jubako.errors import InvalidArgument

DEPTH_MAX = 150
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_BAD_ESCAPE = re.compile(r"~(?![01])")

Tokens = tuple[str, ...]


def parse(pointer: JSON) -> Tokens:
    """Return the names and indexes of a pointer: of none, the whole document; InvalidArgument."""
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")) or _BAD_ESCAPE.search(pointer):
        raise InvalidArgument(f"not a JSON pointer: {pointer!r}")
    tokens = tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])
    if len(tokens) > DEPTH_MAX:
        raise InvalidArgument(f"a JSON pointer may have {DEPTH_MAX} parts, this one has {len(tokens)}")
    return tokens


def spell(tokens: Tokens) -> str:
    return "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in tokens)


def get(document: JSON, tokens: Tokens) -> JSON:
    """Return what the pointer points to; Unprocessable where there is nothing."""
    for depth, token in enumerate(tokens):
        match document:
            case dict() if token in document:
                document = document[token]
            case list() if (index := _index(token)) is not None and index < len(document):
                document = document[index]
            case _:
                raise Unprocessable(f"there is nothing at {spell(tokens[: depth + 1])}")
    return document


def insert(container: JSON, tokens: Tokens, value: JSON) -> None:
    """Put a value at the end of the pointer, whose container this is: into a list between its elements."""
    match container:
        case dict():
            container[tokens[-1]] = value
        case list():
            container.insert(_place(container, tokens), value)
        case _:
            raise Unprocessable(f"nothing can be added at {spell(tokens)}")


def put(container: JSON, tokens: Tokens, value: JSON) -> None:
    """Replace what is at the end of the pointer."""
    get(container, tokens[-1:])
    if isinstance(container, dict):
        container[tokens[-1]] = value
    elif isinstance(container, list):
        container[int(tokens[-1])] = value


def remove(container: JSON, tokens: Tokens) -> JSON:
    """Take away what is at the end of the pointer, and return it; Unprocessable where there is nothing."""
    match container:
        case dict() if tokens[-1] in container:
            return container.pop(tokens[-1])
        case list() if (index := _index(tokens[-1])) is not None and index < len(container):
            return container.pop(index)
    raise Unprocessable(f"there is nothing at {spell(tokens)}")


def _place(elements: list[JSON], tokens: Tokens) -> int:
    index = len(elements) if tokens[-1] == "-" else _index(tokens[-1])
    if index is None or index > len(elements):
        raise Unprocessable(f"there is no place {spell(tokens)} in a list of {len(elements)}")
    return index


def _index(token: str) -> int | None:
    return int(token) if _INDEX.fullmatch(token) else None
