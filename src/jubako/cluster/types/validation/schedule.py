"""Whether a schedule is one: five fields as in a crontab, or one of the names for the usual ones.

Spec: the standard parser of the cron library that Kubernetes uses (minute, hour, day of month, month, day of week).
"""

from __future__ import annotations

import re

_NAMED = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Least and most of each field, and the names that stand for numbers.
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: n + 1 for n, name in enumerate(_MONTHS)}),
    (0, 6, {name: n for n, name in enumerate(_DAYS)}),
)
_EVERY = r"@every ([0-9]+(\.[0-9]+)?(h|m|s|ms|us|ns))+"


def problem(schedule: str) -> str:
    """Return what is wrong with a schedule, or ""."""
    if schedule.startswith("@"):
        known = schedule in _NAMED or re.fullmatch(_EVERY, schedule, re.ASCII)
        return "" if known else f"unrecognized descriptor: {schedule}"
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    found = (_field(text, *bounds) for text, bounds in zip(fields, _FIELDS, strict=True))
    return next((each for each in found if each), "")


def _field(text: str, low: int, high: int, names: dict[str, int]) -> str:
    return next((found for part in text.split(",") if (found := _part(part, low, high, names))), "")


def _part(part: str, low: int, high: int, names: dict[str, int]) -> str:
    span, slash, step = part.partition("/")
    begin, dash, end = span.partition("-")
    if part.count("/") > 1:
        return f"too many slashes: {part}"
    if span.count("-") > 1:
        return f"too many hyphens: {part}"
    numbers = []
    for word in (begin, end) if dash else (begin,):
        number = low if word in ("*", "?") else names.get(word.lower(), _number(word))
        if number is None:
            return f"failed to parse int from {word}: strconv.Atoi: parsing {_quoted(word)}: invalid syntax"
        numbers.append(number)
    return _bounds(part, numbers, low, high) or (_step(part, step) if slash else "")


def _bounds(part: str, numbers: list[int], low: int, high: int) -> str:
    begin, end = numbers[0], numbers[-1]
    if begin < low:
        return f"beginning of range ({begin}) below minimum ({low}): {part}"
    if end > high:
        return f"end of range ({end}) above maximum ({high}): {part}"
    return f"beginning of range ({begin}) beyond end of range ({end}): {part}" if begin > end else ""


def _step(part: str, step: str) -> str:
    number = _number(step)
    if number is None:
        return f"failed to parse int from {step}: strconv.Atoi: parsing {_quoted(step)}: invalid syntax"
    return "" if number else f"step of range should be a positive number: {part}"


def _number(word: str) -> int | None:
    return int(word) if re.fullmatch(r"[0-9]{1,9}", word, re.ASCII) else None


def _quoted(word: str) -> str:
    return f'"{word}"'
