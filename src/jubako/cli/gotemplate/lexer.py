"""Split a template into text and actions, and an action into tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jubako.cli.gotemplate.values import TemplateError

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
    |(?P<char>'(?:[^'\\\n]|\\.)+')
    |(?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|0[bBoO][0-9_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))
    |(?P<declare>:=)
    |(?P<variable>\$\w*)
    |(?P<field>\.[^\W\d]\w*)
    |(?P<dot>\.)
    |(?P<word>[^\W\d]\w*)
    |(?P<mark>[|(),=])""",
    re.VERBOSE,
)


class Token:
    __slots__ = ("kind", "position", "text")

    def __init__(self, kind: str, text: str, position: int) -> None:
        self.kind = kind
        self.text = text
        self.position = position

    def __repr__(self) -> str:
        return f"{self.kind}:{self.text}"


def where(template: str, position: int) -> str:
    """`template: :LINE`, as parse errors begin."""
    return f"template: :{template.count(chr(10), 0, position) + 1}"


def pieces(template: str) -> Iterator[tuple[str, str | list[Token], int]]:
    """Yield ("text", text, position) and ("action", tokens, position), with trim marks applied."""
    start = 0
    trim_next = False
    while True:
        left = template.find("{{", start)
        text = template[start:] if left < 0 else template[start:left]
        trim_before = left >= 0 and template[left + 2 : left + 3] == "-" and template[left + 3 : left + 4].isspace()
        text = text.lstrip() if trim_next else text
        text = text.rstrip() if trim_before else text
        if text:
            yield "text", text, start
        if left < 0:
            return
        inside = left + (4 if trim_before else 2)
        end, trim_next, tokens = _action(template, inside)
        if tokens is not None:
            yield "action", tokens, left
        start = end


def _action(template: str, position: int) -> tuple[int, bool, list[Token] | None]:
    """Return where the action ends, whether it trims the text after it, and its tokens (None for a comment)."""
    if template.startswith("/*", position):
        return _comment(template, position)
    tokens: list[Token] = []
    while True:
        if template.startswith("}}", position):
            return position + 2, False, tokens
        match = _TOKEN.match(template, position)
        if match is None:
            raise TemplateError(f"{where(template, position)}: {_complaint(template, position)}")
        position = match.end()
        if match.lastgroup == "space" and template.startswith("-}}", position):
            return position + 3, True, tokens
        tokens.append(Token(str(match.lastgroup), match.group(), match.start()))


def _comment(template: str, position: int) -> tuple[int, bool, None]:
    end = template.find("*/", position)
    if end < 0:
        raise TemplateError(f"{where(template, position)}: unclosed comment")
    rest = template[end + 2 :]
    for closing, trims in ((" -}}", True), ("}}", False)):
        if rest.startswith(closing):
            return end + 2 + len(closing), trims, None
    raise TemplateError(f"{where(template, position)}: comment ends before closing delimiter")


def _complaint(template: str, position: int) -> str:
    if position >= len(template):
        return "unclosed action"
    if template[position] == '"':
        return "unterminated quoted string"
    return f"unexpected {template[position]!r} in operand".replace("'", '"', 2)
