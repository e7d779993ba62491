"""The functions that templates call: Go's own and those that Docker adds."""

from __future__ import annotations

import json
from collections.abc import Callable

from jubako.cli.gotemplate.printf import print_, printf, println
from jubako.cli.gotemplate.values import NoValue, NullList, Record, TemplateError, show, truth


def to_json(value: object) -> str:
    """Compact JSON; a map's keys are sorted, a record's stand in the order of the document."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def _plain(value: object) -> object:
    match value:
        case NoValue() | NullList():
            return None
        case Record():
            return {key: _plain(item) for key, item in value.items() if not callable(item)}
        case dict():
            return {key: _plain(value[key]) for key in sorted(value)}
        case list():
            return [_plain(item) for item in value]
    return value


def _length(value: object) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if value is None:
        return 0
    if isinstance(value, (list, dict)):
        return len(value)
    raise ValueError(f"len of type {type(value).__name__}")


def _index(holder: object, *keys: object) -> object:
    for key in keys:
        if isinstance(holder, dict):
            holder = holder.get(key, "" if all(isinstance(item, str) for item in holder.values()) else None)
        elif isinstance(holder, (list, str)):
            holder = _element(holder, key)
        elif holder is None:
            raise ValueError("index of untyped nil")
        else:
            raise ValueError(f"can't index item of type {type(holder).__name__}")
    return holder


def _element(holder: list[object] | str, key: object) -> object:
    if not isinstance(key, int):
        raise ValueError(f"cannot index slice/array with type {type(key).__name__}")
    if not 0 <= key < len(holder):
        raise ValueError(f"index out of range: {key}")
    return holder.encode()[key] if isinstance(holder, str) else holder[key]


def _slice(holder: object, *bounds: int) -> object:
    if not isinstance(holder, (str, list)) or any(not 0 <= bound <= len(holder) for bound in bounds):
        raise ValueError("index out of range")
    return holder[slice(*bounds)] if len(bounds) != 1 else holder[bounds[0] :]


def _comparable(left: object, right: object) -> None:
    kinds = [
        "number" if isinstance(item, (int, float)) and not isinstance(item, bool) else type(item)
        for item in (left, right)
    ]
    if kinds[0] != kinds[1] and None not in (left, right):
        raise ValueError("incompatible types for comparison")


def _equal(first: object, *others: object) -> bool:
    if not others:
        raise ValueError("missing argument for comparison")
    for other in others:
        _comparable(first, other)
        if first == other:
            return True
    return False


def _less(left: object, right: object) -> bool:
    _comparable(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return left < right
    raise ValueError("invalid type for comparison")


def _join(items: list[object] | None, separator: str) -> str:
    if not isinstance(items, (list, type(None))):
        raise TypeError
    return separator.join(map(show, items or []))


def _split(text: str, separator: str) -> list[object]:
    return list(text.split(separator)) if separator else list(text)


def _title(text: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in text.split(" "))


def _pad(text: str, before: int, after: int) -> str:
    return " " * before + text + " " * after if text else text


def _truncate(text: str, length: int) -> str:
    return text[:length]


def _lazily(*_values: object) -> object:
    raise TemplateError("and, or: evaluated by the walk")


FUNCTIONS: dict[str, Callable[..., object]] = {
    "and": _lazily,
    "or": _lazily,
    "not": lambda value: not truth(value),
    "len": _length,
    "index": _index,
    "slice": _slice,
    "print": print_,
    "printf": printf,
    "println": println,
    "eq": _equal,
    "ne": lambda left, right: not _equal(left, right),
    "lt": _less,
    "le": lambda left, right: not _less(right, left),
    "gt": lambda left, right: _less(right, left),
    "ge": lambda left, right: not _less(left, right),
    "json": to_json,
    "join": _join,
    "split": _split,
    "lower": str.lower,
    "upper": str.upper,
    "title": _title,
    "pad": _pad,
    "truncate": _truncate,
}

# A table's heading is the template itself filled with the columns' titles, which must stay as they are.
HEADER_FUNCTIONS: dict[str, Callable[..., object]] = {
    "json": lambda title: title,
    "lower": lambda title: title,
    "upper": lambda title: title,
    "title": lambda title: title,
    "truncate": lambda title, _length: title,
}
