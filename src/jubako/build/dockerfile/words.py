"""How the rest of a statement is cut: flags, white space, quoted words, JSON arrays.

Quotes and escapes stay in the words; expansion.py takes them off later. That order is Docker's: `ENV a="$b c"` is
cut first and expanded afterwards.

Spec: BuildKit parser/line_parsers.go, parser/split_command.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from jubako.build.dockerfile.source import Text


def split_spaces(text: Text) -> list[Text]:
    """Words between white space; quotes mean nothing."""
    return [text.slice(match.start(), match.end()) for match in re.finditer(r"\S+", text.value)]


def split_quoted(text: Text, escape: str) -> list[Text]:
    """Words between white space that stands outside quotes; quotes and escapes are kept."""
    return [text.slice(start, end) for start, end in _spans(text.value, escape)]


def split_flags(text: Text, escape: str) -> tuple[list[Text], Text]:
    """Cut the leading `--flag` words off; a bare `--` ends them and belongs to neither part."""
    flags: list[Text] = []
    for start, end in _spans(text.value, escape):
        word = text.value[start:end]
        if word == "--":
            return flags, text.slice(end).strip()
        if not word.startswith("--"):
            return flags, text.slice(start)
        flags.append(text.slice(start, end))
    return flags, text.slice(len(text))


def unquoted(word: str) -> str:
    """A flag without its quotes, and without the backslashes that take the meaning off a character."""
    return re.sub(r"\\(.?)|(['\"])((?:\\.|(?!\2)[^\\])*)(?:\2|\\?$)", _bare, word, flags=re.DOTALL)


def _bare(match: re.Match[str]) -> str:
    return re.sub(r"\\(.)", r"\1", match[3], flags=re.DOTALL) if match[2] else match[1]


class NotStrings(ValueError):
    """A JSON array that holds something else than strings."""


def json_strings(text: str) -> list[str] | None:
    """The strings of a JSON array, or None when `text` is not one. Raises NotStrings."""
    if not text.startswith("["):
        return None
    try:
        values = msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, RecursionError):
        return None
    if not all(isinstance(value, str) for value in values):
        raise NotStrings
    return [value for value in values if isinstance(value, str)]


def _spans(text: str, escape: str) -> Iterator[tuple[int, int]]:
    index, length = 0, len(text)
    while index < length:
        if text[index].isspace():
            index += 1
            continue
        end = _word_end(text, index, escape)
        yield index, end
        index = end


def _word_end(text: str, index: int, escape: str) -> int:
    quote = ""
    while index < len(text):
        char = text[index]
        if char == escape and quote != "'":
            index += 2
            continue
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char.isspace():
            return index
        index += 1
    return len(text)
