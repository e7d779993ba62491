"""The functions that bake files call, under their HCL names.

Spec: buildx, docs/bake-stdlib.md.
"""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import re
import time
import uuid
from collections.abc import Callable, Sequence
from urllib.parse import quote_plus

from jubako.build.bake import collections, dates, numbers
from jubako.build.bake.expressions import arithmetic, item
from jubako.build.bake.formatting import formatted
from jubako.build.bake.values import BakeError, Value, kind_of, list_of, map_of, number_of, text_of, truth_of

Function = Callable[..., Value]


def call(name: str, arguments: Sequence[Value]) -> Value:
    """Raises BakeError for an unknown function, and for arguments that it does not take."""
    function = FUNCTIONS.get(name)
    if function is None:
        raise BakeError(f'there is no function named "{name}"')
    try:
        return function(*arguments)
    except BakeError as problem:
        raise BakeError(f"{name}: {problem.message}") from None
    except TypeError:
        raise BakeError(f"{name} does not take {len(arguments)} arguments") from None
    except (ValueError, IndexError, re.error) as problem:
        raise BakeError(f"{name}: {problem}") from None


def _texts(value: Value) -> list[str]:
    return [text_of(each) for each in list_of(value)]


def _pattern(text: Value) -> re.Pattern[str]:
    return re.compile(text_of(text))


def _groups(match: re.Match[str]) -> Value:
    """What regex gives: the match, its groups as a list, or by their names."""
    if match.re.groupindex:
        return dict(match.groupdict())
    return list(match.groups()) if match.re.groups else match.group()


def _regex(pattern: Value, text: Value) -> Value:
    match = _pattern(pattern).search(text_of(text))
    if match is None:
        raise BakeError("pattern did not match any part of the given string")
    return _groups(match)


def _regex_replace(text: Value, pattern: Value, new: Value) -> Value:
    replacement = re.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", text_of(new).replace("\\", r"\\"))
    return _pattern(pattern).sub(replacement, text_of(text))


def _replace(text: Value, old: Value, new: Value) -> Value:
    return text_of(text).replace(text_of(old), text_of(new))


def _concat(*lists: Value) -> Value:
    return [each for part in lists for each in list_of(part)]


def _flatten(value: Value) -> list[Value]:
    return [inner for each in list_of(value) for inner in (_flatten(each) if isinstance(each, list) else [each])]


def _merge(*maps: Value) -> Value:
    return {key: value for part in maps if part is not None for key, value in map_of(part).items()}


def _length(value: Value) -> Value:
    if isinstance(value, (str, list, dict)):
        return len(value)
    raise BakeError(f"{kind_of(value)} has no length")


def _contains(values: Value, wanted: Value) -> Value:
    return wanted in (values.values() if isinstance(values, dict) else list_of(values))


def _lookup(values: Value, key: Value, default: Value = None) -> Value:
    return map_of(values).get(text_of(key), default)


def _element(values: Value, position: Value) -> Value:
    found = list_of(values)
    if not found:
        raise BakeError("the list is empty")
    return found[int(number_of(position)) % len(found)]


def _slice(values: Value, start: Value, end: Value) -> Value:
    return list_of(values)[int(number_of(start)) : int(number_of(end))]


def _substr(text: Value, offset: Value, length: Value) -> Value:
    rest = text_of(text)[int(number_of(offset)) :]
    count = int(number_of(length))
    return rest if count < 0 else rest[:count]


def _coalesce(*values: Value) -> Value:
    for value in values:
        if value not in (None, ""):
            return value
    raise BakeError("no argument has a value")


def _coalesce_list(*values: Value) -> Value:
    return next((value for value in values if value), [])


def _range(*numbers: Value) -> Value:
    return list(range(*(int(number_of(number)) for number in numbers)))


def _chunks(values: Value, size: Value) -> Value:
    found, step = list_of(values), max(1, int(number_of(size)))
    return [found[start : start + step] for start in range(0, len(found), step)]


def _zipmap(keys: Value, values: Value) -> Value:
    return dict(zip(_texts(keys), list_of(values), strict=False))


def _product(*lists: Value) -> Value:
    rows: list[list[Value]] = [[]]
    for part in lists:
        rows = [[*row, each] for row in rows for each in list_of(part)]
    return [list(row) for row in rows]


def _trim_prefix(text: Value, start: Value) -> Value:
    return text_of(text).removeprefix(text_of(start))


def _trim_suffix(text: Value, end: Value) -> Value:
    return text_of(text).removesuffix(text_of(end))


def _indent(count: Value, text: Value) -> Value:
    return text_of(text).replace("\n", "\n" + " " * int(number_of(count)))


def _timestamp() -> Value:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _json(value: Value) -> Value:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _from_json(text: Value) -> Value:
    found: Value = json.loads(text_of(text))
    return found


def _hash(algorithm: str) -> Function:
    return lambda text: hashlib.new(algorithm, text_of(text).encode()).hexdigest()


def _calculated(mark: str) -> Function:
    return lambda left, right: arithmetic(mark, left, right)


FUNCTIONS: dict[str, Function] = {
    **collections.FUNCTIONS,
    **dates.FUNCTIONS,
    **numbers.FUNCTIONS,
    "abs": lambda number: abs(number_of(number)),
    "add": _calculated("+"),
    "and": lambda left, right: truth_of(left) and truth_of(right),
    "base64decode": lambda text: base64.b64decode(text_of(text)).decode(),
    "base64encode": lambda text: base64.b64encode(text_of(text).encode()).decode(),
    "basename": lambda text: posixpath.basename(text_of(text)),
    "ceil": lambda number: int(-(-number_of(number) // 1)),
    "chomp": lambda text: text_of(text).rstrip("\r\n"),
    "chunklist": _chunks,
    "coalesce": _coalesce,
    "coalescelist": _coalesce_list,
    "compact": lambda values: [text for text in list_of(values) if text not in (None, "")],
    "concat": _concat,
    "contains": _contains,
    "dirname": lambda text: posixpath.dirname(text_of(text)) or ".",
    "distinct": lambda values: collections.unique(list_of(values)),
    "divide": _calculated("/"),
    "element": _element,
    "equal": lambda left, right: left == right,
    "flatten": _flatten,
    "floor": lambda number: int(number_of(number) // 1),
    "format": formatted,
    "greaterthan": _calculated(">"),
    "greaterthanorequalto": _calculated(">="),
    "hasindex": lambda values, key: (
        key in map_of(values) if isinstance(values, dict) else int(number_of(key)) < len(list_of(values))
    ),
    "indent": _indent,
    "index": item,
    "int": lambda number: int(number_of(number)),
    "join": lambda separator, *lists: text_of(separator).join(text for part in lists for text in _texts(part)),
    "jsondecode": _from_json,
    "jsonencode": _json,
    "keys": lambda values: [*sorted(map_of(values))],
    "length": _length,
    "lessthan": _calculated("<"),
    "lessthanorequalto": _calculated("<="),
    "lookup": _lookup,
    "lower": lambda text: text_of(text).lower(),
    "max": lambda *numbers: max(number_of(number) for number in numbers),
    "md5": _hash("md5"),
    "merge": _merge,
    "min": lambda *numbers: min(number_of(number) for number in numbers),
    "modulo": _calculated("%"),
    "multiply": _calculated("*"),
    "not": lambda value: not truth_of(value),
    "notequal": lambda left, right: left != right,
    "or": lambda left, right: truth_of(left) or truth_of(right),
    "range": _range,
    "regex": _regex,
    "regex_replace": _regex_replace,
    "regexall": lambda pattern, text: [_groups(match) for match in _pattern(pattern).finditer(text_of(text))],
    "replace": _replace,
    "reverse": lambda text: text_of(text)[::-1],
    "reverselist": lambda values: list_of(values)[::-1],
    "sanitize": lambda text: re.sub(r"[^a-zA-Z0-9_-]", "_", text_of(text)),
    "setproduct": _product,
    "sha1": _hash("sha1"),
    "sha256": _hash("sha256"),
    "sha512": _hash("sha512"),
    "slice": _slice,
    "sort": lambda values: [*sorted(_texts(values))],
    "split": lambda separator, text: [*text_of(text).split(text_of(separator))],
    "strlen": lambda text: len(text_of(text)),
    "substr": _substr,
    "subtract": _calculated("-"),
    "timestamp": _timestamp,
    "title": lambda text: re.sub(r"\b\w", lambda match: match.group().upper(), text_of(text)),
    "trim": lambda text, letters: text_of(text).strip(text_of(letters)),
    "trimprefix": _trim_prefix,
    "trimspace": lambda text: text_of(text).strip(),
    "trimsuffix": _trim_suffix,
    "upper": lambda text: text_of(text).upper(),
    "urlencode": lambda text: quote_plus(text_of(text)),
    "uuidv4": lambda: str(uuid.uuid4()),
    "values": lambda values: [value for _, value in sorted(map_of(values).items())],
    "zipmap": _zipmap,
}
