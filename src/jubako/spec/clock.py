"""Times as Docker, runc and images have them: RFC 3339 in UTC with nanoseconds, without zeros at the end."""

from __future__ import annotations

import time

ZERO = "0001-01-01T00:00:00Z"
"""What Docker answers for a time that has not come."""


def stamp(time_ns: int | None = None) -> str:
    """Format nanoseconds since the epoch (now, when None) as `2026-01-02T03:04:05.00000006Z`."""
    moment = time.time_ns() if time_ns is None else time_ns
    seconds, nanoseconds = divmod(moment, 1_000_000_000)
    fraction = f".{nanoseconds:09d}".rstrip("0").rstrip(".")
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}{fraction}Z"


def parse(text: str) -> int:
    """Nanoseconds since the epoch of an RFC 3339 time (UTC where no zone is given); raises ValueError."""
    from datetime import UTC, datetime

    head, _, tail = text.partition(".")
    digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
    moment = datetime.fromisoformat(head + tail[len(digits) :])
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000_000 + int(digits[:9].ljust(9, "0"))
