"""The table of defaults that depend on nothing: facts/defaults.txt."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from jubako.cluster.types import factfile
from jubako.cluster.types.document import JSON


@lru_cache(maxsize=1)
def constants() -> dict[str, dict[str, JSON]]:
    """Return the constant defaults of each message by its name, fields in the order of the table."""
    found: dict[str, dict[str, JSON]] = {}
    for line in factfile.read("defaults").splitlines():
        message, field, value = line.split(" ", 2)
        found.setdefault(message, {})[field] = msgspec.json.decode(value)
    return found
