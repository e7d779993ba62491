"""Functions of bake files about sets, rows and names, beside those that functions.py has.

Spec: buildx, docs/bake-stdlib.md.
"""

from __future__ import annotations

import csv
import os
import uuid
from collections.abc import Callable, Mapping

from jubako.build.bake.formatting import formatted
from jubako.build.bake.values import BakeError, Value, list_of, text_of

_NAMESPACES = {
    "dns": uuid.NAMESPACE_DNS,
    "url": uuid.NAMESPACE_URL,
    "oid": uuid.NAMESPACE_OID,
    "x500": uuid.NAMESPACE_X500,
}


def unique(values: list[Value]) -> list[Value]:
    found: list[Value] = []
    for each in values:
        if each not in found:
            found.append(each)
    return found


def _union(*sets: Value) -> Value:
    return unique([each for part in sets for each in list_of(part)])


def _intersection(first: Value, *others: Value) -> Value:
    return [each for each in unique(list_of(first)) if all(each in list_of(other) for other in others)]


def _difference(first: Value, second: Value) -> Value:
    return [each for each in unique(list_of(first)) if each not in list_of(second)]


def _symmetric_difference(first: Value, second: Value) -> Value:
    return [*list_of(_difference(first, second)), *list_of(_difference(second, first))]


def _index_of(values: Value, wanted: Value) -> Value:
    found = list_of(values)
    if wanted not in found:
        raise BakeError("item not found")
    return found.index(wanted)


def _formatted_list(form: Value, *arguments: Value) -> Value:
    """The form with the n-th elements of the lists, and with what is no list each time."""
    lengths = {len(each) for each in arguments if isinstance(each, list)}
    if len(lengths) > 1:
        raise BakeError("the lists are of different lengths")
    return [
        formatted(form, *(each[at] if isinstance(each, list) else each for each in arguments))
        for at in range(lengths.pop() if lengths else 1)
    ]


def _decoded_rows(text: Value) -> Value:
    rows = list(csv.reader(text_of(text).splitlines(), strict=True))
    head = rows[0] if rows else []
    if any(len(row) != len(head) for row in rows):
        raise BakeError("the rows are of different lengths")
    return [dict[str, Value](zip(head, row, strict=True)) for row in rows[1:]]


def _named_uuid(namespace: Value, name: Value) -> Value:
    written = text_of(namespace)
    return str(uuid.uuid5(_NAMESPACES.get(written) or uuid.UUID(written), text_of(name)))


FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "csvdecode": _decoded_rows,
    "formatlist": _formatted_list,
    "homedir": lambda: os.path.expanduser("~"),
    "indexof": _index_of,
    "sethaselement": lambda values, wanted: wanted in list_of(values),
    "setintersection": _intersection,
    "setsubtract": _difference,
    "setsymmetricdifference": _symmetric_difference,
    "setunion": _union,
    "uuidv5": _named_uuid,
}
