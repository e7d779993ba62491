"""Variables in a Dockerfile's words: `$v ${v} :- - :+ + :? ? # ## % %% / //`, quotes and escapes removed.

An unset variable is empty. Single quotes keep their content; in double quotes the escape character counts only
before `"`, `$` and itself.

Errors: ExpansionError with the offset in the word; the caller knows the place in the file.
Spec:   Dockerfile reference, "Environment replacement"; BuildKit shell/lex.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from jubako.build.dockerfile.wildcards import compile_wildcards, match_ends, replace

Lookup = Callable[[str], str | None]

_SPECIAL = frozenset("@*#?-$!")
_DEPTH_MAX = 100


class ExpansionError(ValueError):
    def __init__(self, problem: str, offset: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.offset = offset


def expand(text: str, lookup: Lookup, escape: str = "\\") -> str:
    """Expand one word."""
    return "".join(_Expander(text, lookup, escape).words(split=False))


def expand_words(text: str, lookup: Lookup, escape: str = "\\") -> list[str]:
    """Expand and cut at white space that stands outside quotes, also where it came from a variable."""
    return _Expander(text, lookup, escape).words(split=True)


def expand_body(text: str, lookup: Lookup) -> str:
    """Expand a here-document: quotes are ordinary characters there, and a backslash counts only before `$` and `\\`."""
    expander = _Expander(text, lookup, "\\")
    pieces: list[str] = []
    while expander.at < len(text):
        if text[expander.at] == "$":
            pieces.append(expander.dollar())
            continue
        skip = text[expander.at] == "\\" and text[expander.at + 1 : expander.at + 2] in ("$", "\\")
        pieces.append(text[expander.at + skip])
        expander.at += 1 + skip
    return "".join(pieces)


class _Expander:
    def __init__(self, text: str, lookup: Lookup, escape: str) -> None:
        self.text = text
        self.lookup = lookup
        self.escape = escape
        self.at = 0
        self.depth = 0

    def words(self, *, split: bool) -> list[str]:
        words: list[str] = []
        current: list[str] = []
        while self.at < len(self.text):
            start = self.at
            quoted = self.text[start] in "'\"" or self.text[start] == self.escape
            piece = self._piece()
            if not split or quoted:
                current.append(piece)
                continue
            for index, part in enumerate(re.split(r"\s+", piece)):
                if index and current:
                    words.append("".join(current))
                    current = []
                if part:
                    current.append(part)
        return [*words, "".join(current)] if current else words

    def until(self, stop: str, *, raw: bool) -> str:
        """Expand up to an unquoted `stop`, which is consumed; `raw` keeps escapes (for patterns)."""
        if self.depth == _DEPTH_MAX:
            raise ExpansionError("substitutions are nested too deeply", self.at)
        pieces: list[str] = []
        self.depth += 1
        while self.at < len(self.text):
            if self.text[self.at] == stop:
                self.at += 1
                self.depth -= 1
                return "".join(pieces)
            pieces.append(self._piece(raw=raw))
        raise ExpansionError(f"syntax error: missing '{stop}'", self.at)

    def _piece(self, *, raw: bool = False) -> str:
        char = self.text[self.at]
        if char == "'":
            return self._single_quoted()
        if char == '"':
            return self._double_quoted()
        if char == "$":
            return self.dollar()
        self.at += 1
        if char == self.escape:
            following = self.text[self.at : self.at + 1]
            self.at += len(following)
            return char + following if raw else following
        return char

    def _single_quoted(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise ExpansionError("unexpected end of statement while looking for matching single-quote", self.at)
        content = self.text[self.at + 1 : end]
        self.at = end + 1
        return content

    def _double_quoted(self) -> str:
        start = self.at
        self.at += 1
        pieces: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "$":
                pieces.append(self.dollar())
                continue
            self.at += 1
            if char == '"':
                return "".join(pieces)
            if char == self.escape:
                following = self.text[self.at : self.at + 1]
                self.at += len(following)
                char = following if following in ('"', "$", self.escape) else char + following
            pieces.append(char)
        raise ExpansionError("unexpected end of statement while looking for matching double-quote", start)

    def dollar(self) -> str:
        self.at += 1
        if self.text[self.at : self.at + 1] == "{":
            return self._braced()
        name = self._name()
        return (self.lookup(name) or "") if name else "$"

    def _name(self) -> str:
        match = re.compile(r"[A-Za-z_]\w*|\d+", re.ASCII).match(self.text, self.at)
        name = match[0] if match else self.text[self.at : self.at + 1]
        if not match and name not in _SPECIAL:
            return ""
        self.at += len(name)
        return name

    def _braced(self) -> str:
        start = self.at - 1
        self.at += 1
        name = self._name()
        if not name:
            problem = "syntax error: missing '}'" if self.at >= len(self.text) else "syntax error: bad substitution"
            raise ExpansionError(problem, start)
        operator = re.compile(r":[-+?]|[-+?}/]|##?|%%?").match(self.text, self.at)
        if not operator:
            raise self._bad_modifier(start)
        self.at += len(operator[0])
        value = self.lookup(name)
        match operator[0]:
            case "}":
                return value or ""
            case "#" | "##" | "%" | "%%" as kind:
                return _trim(value or "", self.until("}", raw=True), kind)
            case "/":
                return self._replaced(value or "")
            case kind:
                return self._conditional(name, value, kind, start)

    def _bad_modifier(self, start: int) -> ExpansionError:
        found = self.text[self.at : self.at + (2 if self.text[self.at : self.at + 1] == ":" else 1)]
        if not found:
            return ExpansionError("syntax error: missing '}'", start)
        return ExpansionError(f"unsupported modifier ({found}) in substitution", start)

    def _conditional(self, name: str, value: str | None, kind: str, start: int) -> str:
        word = self.until("}", raw=False)
        missing = not value if kind.startswith(":") else value is None
        match kind[-1]:
            case "-":
                return word if missing else value or ""
            case "+":
                return "" if missing else word
            case _ if missing:
                reason = "is not allowed to be unset" if value is None else "is not allowed to be empty"
                raise ExpansionError(f"{name}: {word or reason}", start)
            case _:
                return value or ""

    def _replaced(self, value: str) -> str:
        every = self.text[self.at : self.at + 1] == "/"
        self.at += every
        pattern = self.until("/", raw=True)
        replacement = self.until("}", raw=True)
        return replace(compile_wildcards(pattern), value, replacement, every=every)


def _trim(value: str, pattern: str, kind: str) -> str:
    """Cut the shortest (doubled: longest) match of `pattern` off the start (#) or the end (%)."""
    tokens = compile_wildcards(pattern)
    backwards = kind[0] == "%"
    text = value[::-1] if backwards else value
    ends = match_ends(tokens[::-1] if backwards else tokens, text)
    end = next(ends, 0) if len(kind) == 1 else max(ends, default=0)
    return value[: len(value) - end] if backwards else value[end:]
