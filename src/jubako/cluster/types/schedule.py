"""Cron schedules: five fields, or one of the @ words.

Model: each field is the set of its values. Where both days are restricted, either suffices. A time that the clock skips
       in spring does not come; one that it repeats in autumn comes twice.
Spec:  crontab(5); github.com/robfig/cron v3, "ParseStandard", which Kubernetes uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from jubako.errors import InvalidArgument

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_DAYS = "sun mon tue wed thu fri sat".split()
_WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_YEARS = 5
_DIGITS = 9


@dataclass(frozen=True)
class Every:
    """@every DURATION: so long after the time that was asked about."""

    seconds: int

    def after(self, moment: float, zone: tzinfo) -> float | None:
        return float(int(moment) + self.seconds)


@dataclass(frozen=True)
class Schedule:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def after(self, moment: float, zone: tzinfo) -> float | None:
        """The first time after a moment (seconds since 1970), in a time zone; None when none comes in five years."""
        at = datetime.fromtimestamp(int(moment) // 60 * 60 + 60, UTC)
        last = at + timedelta(days=366 * _YEARS)
        while at < last:
            local = at.astimezone(zone)
            if local.month not in self.months:
                at = _midnight(local, zone, (local.replace(day=1) + timedelta(days=32)).replace(day=1))
            elif not self._has_day(local):
                at = _midnight(local, zone, local + timedelta(days=1))
            elif local.hour not in self.hours:
                at += timedelta(minutes=60 - local.minute)
            elif local.minute not in self.minutes:
                at += timedelta(minutes=1)
            else:
                return at.timestamp()
        return None

    def _has_day(self, local: datetime) -> bool:
        by_day, by_weekday = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return by_day and by_weekday
        return by_day or by_weekday


def _midnight(local: datetime, zone: tzinfo, on: datetime) -> datetime:
    """The beginning of a later day; where the clock skips midnight, the moment after that."""
    return datetime(on.year, on.month, on.day, tzinfo=zone).astimezone(UTC)


def parse(written: str) -> Schedule | Every:
    """Raises InvalidArgument saying which part is no schedule."""
    text = written.strip()
    if not text:
        raise InvalidArgument("empty spec string")
    if text.startswith("@every "):
        return Every(_duration_s(text.removeprefix("@every ")))
    if text.startswith("@"):
        if text not in _WORDS:
            raise InvalidArgument(f"unrecognized descriptor: {text}")
        text = _WORDS[text]
    fields = text.split()
    if len(fields) != 5:
        raise InvalidArgument(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    minute, hour, day, month, weekday = fields
    return Schedule(
        _field(minute, 0, 59),
        _field(hour, 0, 23),
        _field(day, 1, 31),
        _field(month, 1, 12, _MONTHS, 1),
        _field(weekday, 0, 6, _DAYS, 0),
        _is_any(day),
        _is_any(weekday),
    )


def _is_any(field: str) -> bool:
    return any(part.split("/")[0] in ("*", "?") for part in field.split(","))


def _field(field: str, low: int, high: int, names: list[str] | None = None, first: int = 0) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        begin, dash, end = span.partition("-")
        if begin in ("*", "?") and not dash:
            start, stop = low, high
        else:
            start = _value(begin, names, first)
            stop = _value(end, names, first) if dash else (high if slash else start)
        size = _value(step, None, 0) if slash else 1
        _check(part, start, stop, size, low, high)
        found |= set(range(start, stop + 1, size))
    return frozenset(found)


def _check(part: str, start: int, stop: int, size: int, low: int, high: int) -> None:
    if start < low:
        raise InvalidArgument(f"beginning of range ({start}) below minimum ({low}): {part}")
    if stop > high:
        raise InvalidArgument(f"end of range ({stop}) above maximum ({high}): {part}")
    if start > stop:
        raise InvalidArgument(f"beginning of range ({start}) beyond end of range ({stop}): {part}")
    if size == 0:
        raise InvalidArgument(f"step of range should be a positive number: {part}")


def _value(written: str, names: list[str] | None, first: int) -> int:
    if names and written.lower() in names:
        return names.index(written.lower()) + first
    if not (written.isascii() and written.isdigit() and len(written) <= _DIGITS):
        raise InvalidArgument(f'failed to parse int from {written}: strconv.Atoi: parsing "{written}": invalid syntax')
    return int(written)


def _duration_s(written: str) -> int:
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    total, number, rest = 0.0, "", written.strip()
    while rest:
        number = rest[: len(rest) - len(rest.lstrip("0123456789."))]
        rest = rest[len(number) :]
        unit = rest[: len(rest) - len(rest.lstrip("hmsu"))]
        rest = rest[len(unit) :]
        if not number or number.count(".") > 1 or unit not in units:
            raise InvalidArgument(f'failed to parse duration @every {written}: time: invalid duration "{written}"')
        total += float(number) * units[unit]
    return max(int(total), 1)
