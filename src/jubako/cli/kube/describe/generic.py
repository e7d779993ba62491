"""Kinds that no sheet of their own exists for: all fields, one below the other, their names in words.

Spec: k8s.io/kubectl/pkg/describe, "GenericDescriber".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from jubako.cli.kube.describe.events import write_events
from jubako.cli.kube.describe.sheet import Sheet, plain
from jubako.cluster.types.document import JSON, Object, at, mapping, strings, text

# Shown at the head, or only for programs.
_HIDDEN = (
    ("metadata", "managedFields"), ("metadata", "name"), ("metadata", "namespace"), ("metadata", "labels"),
    ("metadata", "annotations"),
)  # fmt: skip
_ACRONYMS = {"Api": "API", "Uid": "UID", "Url": "URL", "Ip": "IP", "Ips": "IPs", "Uri": "URI"}


def anything(sheet: Sheet, document: Object, events: Sequence[Object]) -> None:
    sheet.line(0, "Name:", text(at(document, "metadata", "name")))
    sheet.line(0, "Namespace:", text(at(document, "metadata", "namespace")))
    sheet.labels(0, "Labels", strings(at(document, "metadata", "labels")))
    sheet.annotations(0, strings(at(document, "metadata", "annotations")))
    _fields(sheet, 0, document, ())
    write_events(sheet, events)


def _fields(sheet: Sheet, level: int, document: Object, path: tuple[str, ...]) -> None:
    for name, value in sorted(document.items()):
        here = (*path, name)
        if here in _HIDDEN:
            continue
        title = in_words(name)
        if isinstance(value, dict):
            sheet.line(level, f"{title}:")
            _fields(sheet, level + 1, value, here)
        elif isinstance(value, list):
            sheet.line(level, f"{title}:")
            _items(sheet, level + 1, value, here)
        else:
            sheet.line(level, f"{title}:", plain(value, "<nil>"))


def _items(sheet: Sheet, level: int, items: list[JSON], path: tuple[str, ...]) -> None:
    for item in items:
        if isinstance(item, dict):
            _fields(sheet, level, mapping(item), path)
        else:
            sheet.line(level, plain(item))


def in_words(name: str) -> str:
    """Return a field's name as a title: creationTimestamp is Creation Timestamp."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^A-Z]+", name)
    return " ".join(_ACRONYMS.get(part[:1].upper() + part[1:], part[:1].upper() + part[1:]) for part in parts)
