"""JSON text -> values. A key that stands twice in an object is kept as a fact, for strict decoding to report."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import NoReturn

from jubako.cluster.types.document import JSON
from jubako.errors import InvalidArgument


class Repeating(dict[str, JSON]):
    """An object in which `repeated` keys stood more than once; the last value counts."""

    repeated: list[str]


def parse(body: bytes) -> JSON:
    """Raises InvalidArgument where the bytes are not one JSON value."""
    try:
        value: JSON = json.loads(body.decode("utf-8", "replace"), object_pairs_hook=_object, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise InvalidArgument(_message(body, error)) from None
    return value


def _object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeating = Repeating(found)
    counts = Counter(key for key, _ in pairs)
    repeating.repeated = [key for key, count in counts.items() if count > 1]
    return repeating


def _refused(word: str) -> NoReturn:
    raise ValueError(f"{word} at 0 (char 0)")


def _message(body: bytes, error: Exception) -> str:
    """Return what Go's decoder says, near enough for people to find the place."""
    if isinstance(error, RecursionError):
        return "exceeded max depth"
    found = re.search(r"char (\d+)", str(error))
    text = body.decode("utf-8", "replace")
    position = int(found.group(1)) if found else 0
    if position >= len(text.rstrip()):
        return "unexpected end of JSON input"
    return f"invalid character '{text[position]}' at offset {position}"
