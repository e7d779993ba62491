"""Functions of bake files about times, which are texts as RFC 3339 has them.

Spec: buildx, docs/bake-stdlib.md; go-cty, function/stdlib, "FormatDate", "TimeAdd".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from jubako.build.bake.values import BakeError, Value, number_of, text_of

_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_TOKENS = re.compile(r"'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+")


def _moment(text: Value) -> datetime:
    try:
        found = datetime.fromisoformat(text_of(text))
    except ValueError:
        raise BakeError(f"{text_of(text)!r} is not a time as RFC 3339 has it") from None
    if found.tzinfo is None:
        raise BakeError(f"{text_of(text)!r} has no zone")
    return found


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _added(moment: Value, duration: Value) -> Value:
    text = text_of(duration)
    bare = text.lstrip("+-")
    if not re.fullmatch(rf"(?:{_DURATION.pattern})+", bare):
        raise BakeError(f"{text!r} is not a duration")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(bare))
    return _text(_moment(moment) + timedelta(seconds=-seconds if text.startswith("-") else seconds))


def _formatted(form: Value, moment: Value) -> Value:
    found, text = _moment(moment), text_of(form)
    pieces: list[str] = []
    at = 0
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None:
            raise BakeError("a quoted text in the form does not end")
        pieces.append(_piece(match, found))
        at = match.end()
    return "".join(pieces)


def _piece(match: re.Match[str], moment: datetime) -> str:
    token = match[0]
    if token.startswith("'"):
        return token[1:-1].replace("''", "'")
    if match[1] is None:
        return token
    make = _FORMS.get(token)
    if make is None:
        raise BakeError(f"{token!r} is no part of a time: literal letters stand in single quotes")
    return make(moment)


def _zone(moment: datetime, separator: str) -> str:
    text = moment.strftime("%z")
    return f"{text[:3]}{separator}{text[3:5]}"


def _hour(moment: datetime) -> int:
    return moment.hour % 12 or 12


_FORMS: Mapping[str, Callable[[datetime], str]] = {
    "YYYY": lambda moment: f"{moment.year:04}",
    "YY": lambda moment: f"{moment.year % 100:02}",
    "MMMM": lambda moment: moment.strftime("%B"),
    "MMM": lambda moment: moment.strftime("%b"),
    "MM": lambda moment: f"{moment.month:02}",
    "M": lambda moment: str(moment.month),
    "DD": lambda moment: f"{moment.day:02}",
    "D": lambda moment: str(moment.day),
    "EEEE": lambda moment: moment.strftime("%A"),
    "EEE": lambda moment: moment.strftime("%a"),
    "hh": lambda moment: f"{moment.hour:02}",
    "h": lambda moment: str(moment.hour),
    "HH": lambda moment: f"{_hour(moment):02}",
    "H": lambda moment: str(_hour(moment)),
    "AA": lambda moment: "AM" if moment.hour < 12 else "PM",
    "aa": lambda moment: "am" if moment.hour < 12 else "pm",
    "mm": lambda moment: f"{moment.minute:02}",
    "m": lambda moment: str(moment.minute),
    "ss": lambda moment: f"{moment.second:02}",
    "s": lambda moment: str(moment.second),
    "ZZZZZ": lambda moment: _zone(moment, ":"),
    "ZZZZ": lambda moment: _zone(moment, ""),
    "ZZZ": lambda moment: "UTC" if not moment.utcoffset() else _zone(moment, ""),
    "Z": lambda moment: "Z" if not moment.utcoffset() else _zone(moment, ":"),
}


def _parts(seconds: Value) -> Value:
    moment = datetime.fromtimestamp(int(number_of(seconds)), UTC)
    iso = moment.isocalendar()
    return {
        "year": moment.year,
        "year_day": moment.timetuple().tm_yday,
        "day": moment.day,
        "month": moment.month,
        "month_name": moment.strftime("%B"),
        "weekday": moment.isoweekday() % 7,
        "weekday_name": moment.strftime("%A"),
        "hour": moment.hour,
        "minute": moment.minute,
        "second": moment.second,
        "rfc3339": _text(moment),
        "iso_year": iso.year,
        "iso_week": iso.week,
    }


FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "formatdate": _formatted,
    "timeadd": _added,
    "unixtimestampparse": _parts,
}
