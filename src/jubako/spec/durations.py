"""Durations as Docker and BuildKit write them, in options and in files."""

from __future__ import annotations

_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}


def duration_ns(text: str) -> int:
    """A duration such as `1h30m`, `10s` or `1.5s`, in nanoseconds. Raises ValueError with Docker's own words."""
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0
    total = 0.0
    if not rest:
        raise ValueError(f'time: invalid duration "{text}"')
    while rest:
        number, unit, rest = _duration_part(text, rest)
        total += number * _NANOSECONDS[unit]
    return -int(total) if text[0] == "-" else int(total)


def _duration_part(text: str, rest: str) -> tuple[float, str, str]:
    digits = 0
    while digits < len(rest) and (rest[digits].isdigit() or rest[digits] == "."):
        digits += 1
    end = digits
    while end < len(rest) and not (rest[end].isdigit() or rest[end] == "."):
        end += 1
    number, unit = rest[:digits], rest[digits:end]
    if not number.strip(".") or number.count(".") > 1:
        raise ValueError(f'time: invalid duration "{text}"')
    if not unit:
        raise ValueError(f'time: missing unit in duration "{text}"')
    if unit not in _NANOSECONDS:
        raise ValueError(f'time: unknown unit "{unit}" in duration "{text}"')
    return float(number), unit, rest[end:]
