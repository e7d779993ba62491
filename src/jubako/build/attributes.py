"""Options of a build that are comma-separated `key=value` pairs with CSV's quotes: outputs and caches."""

from __future__ import annotations

import csv
from collections.abc import Mapping

from jubako.build.exporters.compression import Packing
from jubako.build.truth import truth
from jubako.errors import InvalidArgument


def fields_of(text: str) -> list[str]:
    """What stands between the commas. Raises InvalidArgument for quotes that do not close."""
    try:
        rows = list(csv.reader([text], strict=True)) if text else []
    except csv.Error as error:
        raise InvalidArgument(f"invalid value {text}: {error}") from error
    return rows[0] if rows else []


def flag(given: Mapping[str, str], key: str, *, default: bool) -> bool:
    """The truth of an attribute; a key alone means yes."""
    value = given.get(key)
    if value is None:
        return default
    found = truth(value or "true")
    if found is None:
        raise InvalidArgument(f"non-bool value {value} specified for {key}")
    return found


def packing_of(given: Mapping[str, str]) -> Packing:
    """What `compression`, `compression-level` and `force-compression` ask for."""
    level = given.get("compression-level", "")
    if level and not level.lstrip("-").isdecimal():
        raise InvalidArgument(f"non-integer value {level} for compression-level")
    return Packing.of(
        given.get("compression", ""),
        int(level) if level else None,
        force=flag(given, "force-compression", default=False),
    )
