"""Wildcards as Go writes them: filepath.Match for COPY sources, and the longer dialect of .dockerignore.

In both, `*` and `?` stop at a slash, `[a-z]` and `[^a-z]` are classes, and a backslash takes the meaning off the next
character. Only .dockerignore has `**`: any number of directories.
"""

from __future__ import annotations

import re


class BadPattern(ValueError):
    """The pattern can not be read; the text says why."""


def has_wildcards(text: str) -> bool:
    return any(char in text for char in "*?[\\")


def component(pattern: str) -> re.Pattern[str]:
    """Compile one path component of a COPY source. Raises BadPattern."""
    return _compiled(pattern, _translate(pattern, double_star=False))


def ignore_pattern(pattern: str) -> str:
    """Translate one cleaned line of .dockerignore into a regular expression for whole paths. Raises BadPattern."""
    expression = _translate(pattern, double_star=True)
    _compiled(pattern, expression)
    return expression


def _compiled(pattern: str, expression: str) -> re.Pattern[str]:
    try:
        return re.compile(expression, re.DOTALL)
    except re.error as error:
        raise BadPattern(f"syntax error in pattern {pattern!r}: {error}") from None


def _translate(pattern: str, *, double_star: bool) -> str:
    pieces: list[str] = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        index += 1
        if char == "*" and double_star and pattern[index : index + 1] == "*":
            # "**/" counts as "**": it stands for no directory too.
            index += 2 if pattern[index + 1 : index + 2] == "/" else 1
            pieces.append("(?:.*/)?" if index < len(pattern) else ".*")
        elif char == "*":
            pieces.append("[^/]*")
        elif char == "?":
            pieces.append("[^/]")
        elif char == "[":
            piece, index = _class(pattern, index)
            pieces.append(piece)
        elif char == "\\":
            if index == len(pattern):
                raise BadPattern(f"syntax error in pattern {pattern!r}: nothing follows the backslash")
            pieces.append(re.escape(pattern[index]))
            index += 1
        else:
            pieces.append(re.escape(char))
    return "".join(pieces)


def _class(pattern: str, index: int) -> tuple[str, int]:
    """Translate `[…]` from after the bracket; returns the expression and where the pattern goes on."""
    negated = pattern[index : index + 1] == "^"
    index += negated
    members: list[str] = []
    while index < len(pattern) and (pattern[index] != "]" or not members):
        if pattern[index] == "\\":
            index += 1
        if index < len(pattern):
            char = pattern[index]
            members.append(char if char == "-" and members else re.escape(char))
        index += 1
    if index >= len(pattern) or not members:
        raise BadPattern(f"syntax error in pattern {pattern!r}: '[' is not closed")
    return f"(?!/)[{'^' if negated else ''}{''.join(members)}]", index + 1
