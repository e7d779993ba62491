"""Durations as people read them: 45s, 3m20s, 5h12m, 4d, 2y30d.

Spec: k8s.io/apimachinery/pkg/util/duration, HumanDuration.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from jubako.cluster.types import times
from jubako.cluster.types.document import JSON
from jubako.errors import InvalidArgument

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365 * 86400
# Below so many seconds: the unit, and the lesser one that is shown beside it.
_STEPS = (
    (2 * _MINUTE, 1, 0),
    (10 * _MINUTE, _MINUTE, 1),
    (3 * _HOUR, _MINUTE, 0),
    (8 * _HOUR, _HOUR, _MINUTE),
    (2 * _DAY, _HOUR, 0),
    (8 * _DAY, _DAY, _HOUR),
    (2 * _YEAR, _DAY, 0),
    (8 * _YEAR, _YEAR, _DAY),
)
_NAMES = {1: "s", _MINUTE: "m", _HOUR: "h", _DAY: "d", _YEAR: "y"}


def human(seconds: float) -> str:
    if seconds < -1:
        return "<invalid>"
    whole = max(0, int(seconds))
    unit, lesser = next(((unit, lesser) for below, unit, lesser in _STEPS if whole < below), (_YEAR, 0))
    rest = whole % unit // lesser if lesser else 0
    return f"{whole // unit}{_NAMES[unit]}" + (f"{rest}{_NAMES[lesser]}" if rest else "")


def moment(value: JSON) -> datetime | None:
    """Return a moment of a document, or None."""
    return _moment(value) if isinstance(value, str) and value else None


@lru_cache(maxsize=4096)
def _moment(value: str) -> datetime | None:
    try:
        return times.parse(value)
    except InvalidArgument:
        return None


def age(value: JSON, now: datetime) -> str:
    """Return how long ago a moment is."""
    since = moment(value)
    return human((now - since).total_seconds()) if since else "<unknown>"
