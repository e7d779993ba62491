"""Points in time as options take them and as lists show them."""

from __future__ import annotations

import time

from jubako.cli.failure import Exit
from jubako.cli.quantities import duration_ns

_SECOND = 1_000_000_000


def parse_rfc3339(text: str) -> int:
    """Nanoseconds since the epoch; a time without a zone is local. Raises ValueError."""
    from datetime import datetime

    head, _, tail = text.partition(".")
    digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
    moment = datetime.fromisoformat(_with_minutes(head) + tail[len(digits) :]).astimezone()
    return int(moment.timestamp()) * _SECOND + int(digits[:9].ljust(9, "0"))


def _with_minutes(head: str) -> str:
    """`2026-01-02T03`: an hour alone, which fromisoformat takes only without the dashes."""
    return f"{head}:00" if len(head) == 13 and head[10] == "T" else head


def since(text: str | None, option: str) -> int | None:
    """The moment that --since and --until name: a time, seconds since the epoch, or a duration before now."""
    if not text:
        return None
    seconds, _, fraction = text.partition(".")
    if seconds.isdecimal() and (not fraction or fraction.isdecimal()) and len(seconds) != 4:
        return int(seconds) * _SECOND + int(fraction[:9].ljust(9, "0") or 0)
    try:
        return time.time_ns() - duration_ns(text)
    except ValueError:
        pass
    try:
        return parse_rfc3339(text)
    except ValueError:
        pass
    raise Exit(1, f'invalid value for "{option}": failed to parse value as time or duration: "{text}"')


def is_zero(text: str) -> bool:
    """Whether this is Go's zero time: something that has not happened."""
    return not text or text.startswith("0001-01-01")


def shown(seconds: float) -> str:
    """As Go prints a local time: `2026-11-23 21:30:12 +0000 UTC`."""
    moment = time.localtime(seconds)
    return time.strftime("%Y-%m-%d %H:%M:%S %z ", moment) + (moment.tm_zone or "UTC")


def rfc3339_nano(time_ns: int) -> str:
    """A local time with nine digits, as `events` shows it."""
    seconds, nanoseconds = divmod(time_ns, _SECOND)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(seconds)) + f".{nanoseconds:09d}" + _zone(seconds)


def _zone(seconds: float) -> str:
    offset = time.localtime(seconds).tm_gmtoff
    if not offset:
        return "Z"
    sign = "-" if offset < 0 else "+"
    return f"{sign}{abs(offset) // 3600:02d}:{abs(offset) % 3600 // 60:02d}"
