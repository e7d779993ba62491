"""Moments as the API writes them: RFC 3339 in UTC, whole seconds (Time) or microseconds (MicroTime)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from jubako.errors import InvalidArgument

_LAYOUT = "2006-01-02T15:04:05Z07:00"
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,18}))?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What a moment is made of: what stands there, and Go's name for it.
_PARTS: tuple[tuple[str, str], ...] = (
    *((r"\d{4}", "2006"), ("-", "-"), (r"\d\d", "01"), ("-", "-"), (r"\d\d", "02"), ("T", "T"), (r"\d\d", "15")),
    *((":", ":"), (r"\d\d", "04"), (":", ":"), (r"\d\d", "05"), (r"Z|[+-]\d\d:\d\d", "Z07:00")),
)


def parse(text: str) -> datetime:
    """Return a moment in UTC. Raises InvalidArgument with the message of Go's time.Parse."""
    if not (found := _RFC3339.fullmatch(text)):
        raise InvalidArgument(_unreadable(text))
    year, month, day, hour, minute, second, fraction, _, sign, offset_h, offset_min = found.groups()
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        local = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), micros, UTC)
        offset = timedelta(hours=int(offset_h or 0), minutes=int(offset_min or 0))
        return local + offset if sign == "-" else local - offset
    except (ValueError, OverflowError):
        raise InvalidArgument(
            f'parsing time "{text}": {_out_of_range(month, hour, minute, second)} out of range'
        ) from None


def render(moment: datetime) -> str:
    """Return whole seconds."""
    return f"{_local(moment):%Y-%m-%dT%H:%M:%S}Z".rjust(20, "0")


def render_micro(moment: datetime) -> str:
    return f"{_local(moment):%Y-%m-%dT%H:%M:%S.%f}Z".rjust(27, "0")


def to_unix(moment: datetime) -> tuple[int, int]:
    """Return seconds since 1970 and nanoseconds."""
    passed = moment - _EPOCH
    return passed.days * 86400 + passed.seconds, passed.microseconds * 1000


def from_unix(seconds: int, nanos: int) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError:
        raise InvalidArgument(f"time {seconds} is out of range") from None


def _local(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _out_of_range(month: str, hour: str, minute: str, second: str) -> str:
    for name, value, most in (("month", month, 12), ("hour", hour, 23), ("minute", minute, 59), ("second", second, 59)):
        if int(value) > most or (name == "month" and int(value) < 1):
            return name
    return "day"


def _unreadable(text: str) -> str:
    rest = text
    for pattern, part in _PARTS:
        if not (found := re.match(pattern, rest, re.ASCII)):
            return f'parsing time "{text}" as "{_LAYOUT}": cannot parse "{rest}" as "{part}"'
        rest = rest[found.end() :]
        if part == "05":
            rest = re.sub(r"^\.\d+", "", rest)
    return f'parsing time "{text}": extra text: "{rest}"'
