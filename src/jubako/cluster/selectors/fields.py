r"""Field selectors: FIELD=VALUE, FIELD==VALUE and FIELD!=VALUE, all of which must hold.

In a value `\`, `,` and `=` stand behind a `\`. Which fields there are is the kind's to say; an absent one is empty.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import msgspec

from jubako.errors import InvalidArgument

ALWAYS = frozenset(("metadata.name", "metadata.namespace"))
"""The fields that every kind has."""

_TERM = re.compile(r"(?:\\.|[^\\,])*\\?", re.DOTALL)
_OPERATOR = re.compile(r"((?:\\.|[^\\])*?)(!=|==|=)(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.?)|([,=])", re.DOTALL)


class Requirement(msgspec.Struct, frozen=True):
    field: str
    equal: bool
    value: str


class FieldSelector(msgspec.Struct, frozen=True):
    """All requirements; with none, everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, fields: Mapping[str, str]) -> bool:
        return all((fields.get(each.field, "") == each.value) == each.equal for each in self.requirements)

    def exact(self, field: str) -> str | None:
        """Return the only value that `field` may have, or None."""
        return next((each.value for each in self.requirements if each.field == field and each.equal), None)


def parse_fields(text: str, supported: Collection[str] = ALWAYS) -> FieldSelector:
    """Read a field selector on these fields; InvalidArgument."""
    requirements = tuple(_requirement(text, term) for term in _terms(text) if term)
    for each in requirements:
        if each.field not in supported:
            raise InvalidArgument(_unsupported(each.field, supported))
    return FieldSelector(requirements)


def _terms(text: str) -> list[str]:
    terms, start = [], 0
    while start <= len(text):
        term = _TERM.match(text, start)
        assert term  # it matches the empty string
        terms.append(term[0])
        start = term.end() + 1
    return terms


def _requirement(text: str, term: str) -> Requirement:
    parts = _OPERATOR.fullmatch(term)
    if not parts:
        raise InvalidArgument(f"invalid selector: '{text}'; can't understand '{term}'")
    field, operator, value = parts.groups()
    return Requirement(field, operator != "!=", _ESCAPE.sub(_unescaped, value))


def _unescaped(found: re.Match[str]) -> str:
    escaped, bare = found.groups()
    if bare:
        raise InvalidArgument(f"invalid field selector: unescaped character in value: {bare}")
    if escaped not in ("\\", ",", "="):
        raise InvalidArgument(f"invalid field selector: invalid escape sequence: {found[0]}")
    return str(escaped)


def _unsupported(field: str, supported: Collection[str]) -> str:
    if ALWAYS.issuperset(supported):
        return f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'
    return f"field label not supported: {field}"
