"""The tokens of HCL's native syntax, in the part of it that bake files use.

A string or here-document is one token whose value is its template: text as it stands in the file, quotes taken off.
Spec: HCL native syntax specification, "Lexical Elements".
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

import msgspec

from jubako.build.bake.values import BakeError

_SKIPPED = re.compile(r"[ \t\r]+|#[^\n]*|//[^\n]*|/\*.*?\*/", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_MARK = re.compile(r"\.\.\.|=>|==|!=|<=|>=|&&|\|\||[-+*/%<>!?:=.,(){}\[\]\n]")
_HEREDOC = re.compile(r"<<(-?)([A-Za-z_][A-Za-z0-9_-]*)\r?\n")


class Token(msgspec.Struct, frozen=True):
    """`kind` is word, number, string (with escapes), raw (without), mark or end; `at` an offset into the source."""

    kind: str
    text: str
    at: int


def tokens(source: str, start: int = 0, stop: int | None = None) -> Iterator[Token]:
    """Raises BakeError, with the offset as its attribute `at`, for what is no token."""
    position, stop = start, len(source) if stop is None else stop
    while position < stop:
        if match := _SKIPPED.match(source, position, stop):
            position = match.end()
            continue
        token, position = _next(source, position, stop)
        yield token
    yield Token("end", "", stop)


def _next(source: str, at: int, stop: int) -> tuple[Token, int]:
    if source[at] == '"':
        end = string_end(source, at + 1, stop)
        return Token("string", source[at + 1 : end], at), end + 1
    if match := _HEREDOC.match(source, at, stop):
        return _heredoc(source, match, stop)
    for kind, pattern in (("word", _WORD), ("number", _NUMBER), ("mark", _MARK)):
        if match := pattern.match(source, at, stop):
            return Token(kind, match.group(), at), match.end()
    raise error(at, f"unexpected {source[at]!r}")


def _heredoc(source: str, match: re.Match[str], stop: int) -> tuple[Token, int]:
    end = re.compile(rf"^[ \t]*{re.escape(match[2])}[ \t\r]*$", re.MULTILINE).search(source, match.end(), stop)
    if end is None:
        raise error(match.start(), f"the here-document {match[2]} does not end")
    body = source[match.end() : end.start()]
    return Token("raw", textwrap.dedent(body) if match[1] else body, match.start()), end.end()


def string_end(source: str, at: int, stop: int) -> int:
    """Where the string that begins at `at` has its closing quote; templates inside may hold strings."""
    while at < stop and source[at] != "\n":
        if source[at] == '"':
            return at
        if source.startswith(("$${", "%%{"), at):
            at += 3
        elif source.startswith(("${", "%{"), at):
            at = template_end(source, at + 2, stop) + 1
        else:
            at += 2 if source[at] == "\\" else 1
    raise error(at, "a string does not end")


def template_end(source: str, at: int, stop: int) -> int:
    """Where the `${` whose content begins at `at` has its closing brace."""
    begin, depth = at, 0
    while at < stop:
        if source[at] == "}" and not depth:
            return at
        if source[at] == '"':
            at = string_end(source, at + 1, stop)
        depth += {"{": 1, "}": -1}.get(source[at], 0)
        at += 1
    raise error(begin, "a template does not end")


def error(at: int, problem: str) -> BakeError:
    found = BakeError(problem)
    found.at = at
    return found
