"""The template's text -> a tree of nodes.

text{.field['name']["name"][0][-1][1:3:2][*].*..field[?(@.a.b=="c")]}{range …}…{end}{"literal"}{$}{@}{[.a, .b]}
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from jubako.cli.jsonpath.nodes import (
    Field,
    Filter,
    Literal,
    Node,
    Path,
    Range,
    Recursive,
    Root,
    Slice,
    Union,
    Wildcard,
)
from jubako.errors import InvalidArgument

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"(?:[^\s.\[\]{}()$@,'\"|=!<>\\*?:/]|\\.)(?:[^\s.\[\]{}(),'\"|=!<>\\]|\\.)*")
_INDEXES = re.compile(r"\[\s*(-?\d+)?\s*(:)?\s*(-?\d+)?\s*(:)?\s*(-?\d+)?\s*\]")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_WORD = re.compile(r"\w(?:[^\s.\[\]{}(),'\"|=!<>\\]|\\.)*")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_OPERATOR = re.compile(r"==|!=|<=|>=|<|>")
_UNCLOSED = {"}": "unclosed action", ")": "unterminated filter", "]": "unterminated array"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}


def parse(template: str) -> tuple[Path, ...]:
    """Return the parts of a template. Raises InvalidArgument."""
    return _Parser(template).parts(within_range=False)


class _Parser:
    def __init__(self, template: str) -> None:
        self._text, self._at = template, 0

    def parts(self, *, within_range: bool) -> tuple[Path, ...]:
        found: list[Path] = []
        while self._at < len(self._text):
            if self._text[self._at] != "{":
                end = self._text.find("{", self._at)
                end = len(self._text) if end < 0 else end
                found.append((Literal(self._text[self._at : end]),))
                self._at = end
                continue
            self._at += 1
            self._skip()
            if self._word("end"):
                self._expect("}")
                if not within_range:
                    raise InvalidArgument("not in range, nothing to end")
                return tuple(found)
            found.append(self._action())
        return tuple(found)  # a range may go on to the end of the text

    def _action(self) -> Path:
        if self._word("range"):
            over = self._path("}")
            self._expect("}")
            return (Range(over, self.parts(within_range=True)),)
        path = self._path("}")
        self._expect("}")
        return path

    def _path(self, *ends: str) -> Path:
        """Read nodes up to one of `ends`, which is left."""
        found: list[Node] = []
        while True:
            self._skip()
            if self._at >= len(self._text):
                raise InvalidArgument(_UNCLOSED[ends[-1]])
            if "}" not in ends and self._text[self._at] == "}":
                raise InvalidArgument(_UNCLOSED[ends[-1]])
            if any(self._text.startswith(end, self._at) for end in ends):
                return tuple(found)
            found.append(self._node())

    def _node(self) -> Node:
        rest = self._text[self._at :]
        if rest[0] == "$":
            self._at += 1
            return Root()
        if rest[0] == "@":
            self._at += 1
            return Field("")
        if rest.startswith(".."):
            # What follows is a field without its dot, or brackets.
            self._at += 1 if _NAME.match(rest, 2) or rest[2:3] == "*" else 2
            return Recursive()
        if rest[0] == "[":
            return self._bracket()
        if rest[0] == ".":
            self._at += 1
            return self._after_dot()
        if found := _QUOTED.match(rest):
            self._at += found.end()
            return Literal(_unquoted(found))
        return self._bare()

    def _after_dot(self) -> Node:
        if self._text[self._at : self._at + 1] == "*":
            self._at += 1
            return Wildcard()
        if found := _NAME.match(self._text, self._at):
            self._at = found.end()
            return Field(re.sub(r"\\(.)", r"\1", found.group()))
        return Field("")

    def _bare(self) -> Node:
        if found := _NUMBER.match(self._text, self._at):
            self._at = found.end()
            return Literal(float(found.group()) if found.group(1) else int(found.group()))
        if found := _WORD.match(self._text, self._at):
            self._at = found.end()
            word = found.group()
            if word in ("true", "false"):
                return Literal(word == "true")
            return Field(re.sub(r"\\(.)", r"\1", word))
        if self._text[self._at] in "'\"":
            raise InvalidArgument("unterminated quoted string")
        raise InvalidArgument(
            f"unrecognized character in action: U+{ord(self._text[self._at]):04X} '{self._text[self._at]}'"
        )

    def _bracket(self) -> Node:
        if self._text.startswith("[?(", self._at):
            return self._filter()
        if found := _INDEXES.match(self._text, self._at):
            self._at = found.end()
            return _slice(*found.groups())
        if self._text.startswith("[*]", self._at):
            self._at += 3
            return Wildcard()
        return self._union()

    def _union(self) -> Node:
        branches: list[Path] = []
        while not branches or self._text[self._at] == ",":
            self._at += 1
            self._skip()
            if found := _QUOTED.match(self._text, self._at):
                self._at = found.end()
                # A key in quotes may be a path of its own: ['metadata.name'].
                branches.append(_Parser(f".{_unquoted(found)}}}")._path("}"))
            elif found := re.compile(r"-?\d+(?=\s*[,\]])").match(self._text, self._at):
                self._at = found.end()
                branches.append((_slice(found.group(), None, None, None, None),))
            else:
                branches.append(self._path(",", "]"))
            self._skip()
            if self._at >= len(self._text):
                raise InvalidArgument("unterminated array")
        self._expect("]")
        return branches[0][0] if len(branches) == 1 and len(branches[0]) == 1 else Union(tuple(branches))

    def _filter(self) -> Node:
        self._at += 3
        left = self._path(*("==", "!=", "<=", ">=", "<", ">", ")"))
        found = _OPERATOR.match(self._text, self._at)
        if not found:
            self._expect(")")
            self._expect("]")
            return Filter(left, "exists", ())
        self._at = found.end()
        right = self._path(")")
        self._expect(")")
        self._expect("]")
        return Filter(left, found.group(), right)

    def _word(self, word: str) -> bool:
        if re.compile(rf"{word}(?=[\s}}.\[$@])").match(self._text, self._at):
            self._at += len(word)
            return True
        return False

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _expect(self, mark: str) -> None:
        self._skip()
        if not self._text.startswith(mark, self._at):
            raise InvalidArgument(_UNCLOSED[mark])
        self._at += len(mark)


def _slice(first: str | None, colon: str | None, second: str | None, other: str | None, third: str | None) -> Slice:
    start, end, step = (None if each is None else int(each) for each in (first, second, third))
    if colon is None and other is None:
        if start is None:
            raise InvalidArgument("invalid array index ")
        return Slice(start, None, None, single=True)
    return Slice(start, end, step)


def _unquoted(found: re.Match[str]) -> str:
    inner: Sequence[str | None] = found.groups()
    body = next(each for each in inner if each is not None)
    return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape.group(1), escape.group()), body)
