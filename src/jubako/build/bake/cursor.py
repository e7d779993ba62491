"""A walk along the tokens of a bake file: what the parser looks at, takes and expects."""

from __future__ import annotations

from jubako.build.bake.tokens import Token, error, tokens
from jubako.build.bake.values import BakeError


class Cursor:
    """`shift` is where `source` begins in the file, for errors."""

    def __init__(self, source: str, start: int = 0, stop: int | None = None, shift: int = 0) -> None:
        self.shift = shift
        try:
            self._tokens = list(tokens(source, start, stop))
        except BakeError as problem:
            raise error(problem.at + shift, problem.message) from None
        self.position = 0

    @property
    def now(self) -> Token:
        return self._tokens[self.position]

    @property
    def at(self) -> int:
        return self.now.at + self.shift

    def next(self) -> Token:
        token = self.now
        self.position = min(self.position + 1, len(self._tokens) - 1)
        return token

    def takes(self, text: str) -> bool:
        found = (self.now.kind == "mark" and self.now.text == text) or self.now.kind == text == "end"
        if found:
            self.next()
        return found

    def word(self) -> str:
        if self.now.kind not in ("word", "string"):
            raise self.unexpected()
        return self.next().text

    def expect(self, text: str) -> None:
        if not self.takes(text):
            raise error(self.at, f"{text!r} is missing before {self._shown()}")

    def lines(self) -> None:
        while self.now.text == "\n" and self.now.kind == "mark":
            self.next()

    def unexpected(self) -> BakeError:
        return error(self.at, f"unexpected {self._shown()}")

    def _shown(self) -> str:
        if self.now.kind == "end":
            return "the end"
        return "a new line" if self.now.text == "\n" else repr(self.now.text)
