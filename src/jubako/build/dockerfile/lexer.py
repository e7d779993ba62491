"""From bytes to statements: directives, comments, continuations and here-documents.

Model:  a Statement is one instruction before its grammar is known: a keyword, the rest of its logical line, and the
        here-documents that follow it. Comments and empty lines inside a continuation are dropped, as BuildKit does.
Errors: DockerfileError only, whatever the bytes are.
Spec:   Dockerfile reference, "Format", "Parser directives", "Here-documents"; BuildKit parser/parser.go.
"""

from __future__ import annotations

import re

import msgspec

from jubako.build.dockerfile.source import DockerfileError, Mark, Position, Source, Text
from jubako.build.dockerfile.words import split_quoted

_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
_DIRECTIVES = frozenset({"syntax", "escape", "check"})
_HEREDOC = re.compile(r"(\d*)<<(-?)(?P<quote>['\"]?)([^<'\"\s]+)(?P=quote)")
_HEREDOC_KEYWORDS = frozenset({"ADD", "COPY", "RUN"})
_CONTINUES = {escape: re.compile(rf"(?<!{re.escape(escape)}){re.escape(escape)}[ \t]*$") for escape in "\\`"}


class Heredoc(msgspec.Struct, frozen=True):
    """`content` keeps its line ends and, with `<<-`, its leading tabs (`chomp` says to drop them)."""

    name: str
    content: str
    expand: bool
    chomp: bool
    position: Position

    def text(self) -> str:
        """The content as it is meant."""
        return re.sub(r"^\t+", "", self.content, flags=re.MULTILINE) if self.chomp else self.content


class Statement(msgspec.Struct, frozen=True):
    keyword: str
    line: Text
    body: Text
    heredocs: list[Heredoc]
    last_line: int

    @property
    def position(self) -> Position:
        return self.line.position()


class Lexed(msgspec.Struct, frozen=True):
    source: Source
    directives: dict[str, str]
    statements: list[Statement]

    @property
    def escape(self) -> str:
        return self.directives.get("escape", "\\")


def lex(data: bytes, name: str = "Dockerfile") -> Lexed:
    """Split a Dockerfile into statements. Raises DockerfileError."""
    source = Source(name, _decode(data, name))
    return _Lexer(source).run()


def _decode(data: bytes, name: str) -> str:
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        good = data[: error.start].decode("utf-8")
        raise _bad_character(name, data.decode("utf-8", "replace"), len(good), "text that is not UTF-8") from None
    if (offset := text.find("\0")) >= 0:
        raise _bad_character(name, text, offset, "a NUL character")
    return text


def _bad_character(name: str, text: str, offset: int, what: str) -> DockerfileError:
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    return DockerfileError(Source(name, text), Position(line, column), f"the file contains {what}")


class _Lexer:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.directives: dict[str, str] = {}
        self.next = 0  # index of the next physical line

    def run(self) -> Lexed:
        self._read_directives()
        self.escape = self.directives.get("escape", "\\")
        statements: list[Statement] = []
        while self.next < len(self.source.lines):
            if statement := self._statement():
                statements.append(statement)
        return Lexed(self.source, self.directives, statements)

    def _read_directives(self) -> None:
        """Directives stand at the very top: anything else, an ordinary comment too, ends them."""
        for index, line in enumerate(self.source.lines):
            match = _DIRECTIVE.fullmatch(line.strip())
            key = match[1].lower() if match else ""
            if not match or key not in _DIRECTIVES:
                return
            position = Position(index + 1, line.index("#") + 1)
            if key in self.directives:
                raise DockerfileError(self.source, position, f"only one {key} parser directive can be used")
            if key == "escape" and match[2] not in _CONTINUES:
                raise DockerfileError(
                    self.source, position, f"invalid escape token '{match[2]}' does not match ` or \\"
                )
            self.directives[key] = match[2]
            self.next = index + 1

    def _statement(self) -> Statement | None:
        line = self._logical_line()
        if line is None:
            return None
        keyword = re.match(r"\S+", line.value)
        assert keyword is not None
        body = line.slice(keyword.end()).strip()
        heredocs = self._heredocs(keyword[0].upper(), body)
        return Statement(keyword[0], line, body, heredocs, self.next)

    def _logical_line(self) -> Text | None:
        """Join a line with its continuations; None for an empty line or a comment."""
        parts: list[str] = []
        marks: list[Mark] = []
        length = 0
        while self.next < len(self.source.lines):
            line = self.source.lines[self.next]
            self.next += 1
            bare = line.strip()
            if bare.startswith("#") or not bare:
                if not parts:
                    return None
                continue
            part, continues = self._cut_continuation(line)
            marks.append((length, self.next, 1))
            parts.append(part)
            length += len(part)
            if not continues:
                break
        joined = Text("".join(parts), marks).strip() if parts else None
        return joined if joined and joined.value else None

    def _cut_continuation(self, line: str) -> tuple[str, bool]:
        match = _CONTINUES[self.escape].search(line)
        return (line[: match.start()], True) if match else (line, False)

    def _heredocs(self, keyword: str, body: Text) -> list[Heredoc]:
        if "<<" not in body.value:
            return []
        if keyword == "ONBUILD":
            inner = re.match(r"\S+", body.value)
            return self._heredocs(inner[0].upper(), body.slice(inner.end())) if inner else []
        if keyword not in _HEREDOC_KEYWORDS:
            return []
        return [
            self._read_heredoc(match, word)
            for word in split_quoted(body, self.escape)
            if (match := _HEREDOC.fullmatch(word.value))
        ]

    def _read_heredoc(self, match: re.Match[str], word: Text) -> Heredoc:
        name, chomp = match[4], bool(match[2])
        first = self.next
        while self.next < len(self.source.lines):
            line = self.source.lines[self.next]
            self.next += 1
            if (line.lstrip("\t") if chomp else line) == name:
                content = "".join(text + "\n" for text in self.source.lines[first : self.next - 1])
                return Heredoc(name, content, not match["quote"], chomp, Position(first + 1))
        raise DockerfileError(
            self.source, word.position(), f"unterminated heredoc: no line says {name}", width=len(word)
        )


def heredoc_token(word: str) -> str | None:
    """The name of the here-document that `word` (`<<EOF`) stands for, or None."""
    match = _HEREDOC.fullmatch(word)
    return match[4] if match else None
