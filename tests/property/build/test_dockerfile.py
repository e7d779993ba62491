"""Whatever the bytes: the parser answers with instructions or with a DockerfileError whose place is in the file."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from jubako.build.dockerfile.expansion import ExpansionError, expand, expand_body, expand_words
from jubako.build.dockerfile.grammar import INSTRUCTIONS
from jubako.build.dockerfile.lexer import lex
from jubako.build.dockerfile.parser import parse
from jubako.build.dockerfile.source import DockerfileError, Position, Source, Text

PIECES = st.sampled_from(
    [
        *INSTRUCTIONS,
        "FORM",
        " ",
        "\t",
        "\n",
        "\r\n",
        "\\",
        "\\\n",
        "`",
        "#",
        "# escape=`\n",
        "<<EOF",
        "EOF",
        "\nEOF\n",
        "<<-'X'",
        "\tX\n",
        "--from=a",
        "--mount=x",
        "--interval=1h2m",
        "--",
        '["a", "b"]',
        '["',
        "[]",
        '"',
        "'",
        "$",
        "${a",
        "${a:-b}",
        "=",
        "a=b",
        "x",
        "é",
        "\x1c",
        "\x85",
        "\u2028",
        "\0",
        "CMD",
        "NONE",
        ".",
        "/",
    ]
)
TEXTS = st.lists(PIECES, max_size=30).map("".join)


def check_position(source: Source, position: Position) -> None:
    assert 1 <= position.line <= len(source.lines)
    assert 1 <= position.column <= len(source.lines[position.line - 1]) + 1


def check_offset(error: ExpansionError, text: str) -> None:
    assert 0 <= error.offset <= len(text)


def check_error(data: bytes, error: DockerfileError) -> None:
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    check_position(Source("Dockerfile", text), Position(error.line, error.column))


@given(TEXTS.map(str.encode) | st.binary(max_size=200))
@settings(max_examples=600, deadline=None)
@example(b"\xef\xbb\xbf\xff")
@example(b"FROM a\nRUN \\\n\n")
@example(b"FROM a\nENV a=b \\\n")
def test_any_bytes_parse_or_fail_in_place(data: bytes) -> None:
    try:
        parse(data)
    except DockerfileError as error:
        check_error(data, error)


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_positions_of_statements_lie_in_the_file_and_tell_the_truth(text: str) -> None:
    try:
        lexed = lex(text.encode())
    except DockerfileError:
        return
    for statement in lexed.statements:
        for piece in (statement.line, statement.body):
            for offset in range(len(piece) + 1):
                check_position(lexed.source, piece.position(offset))
            for offset, char in enumerate(piece.value):
                position = piece.position(offset)
                assert lexed.source.lines[position.line - 1][position.column - 1] == char


@given(st.text(alphabet="a$ {}:-+?#%/'\"\\*", max_size=24), st.sampled_from(["\\", "`"]))
@settings(max_examples=600, deadline=None)
def test_any_word_expands_or_fails_within_it(text: str, escape: str) -> None:
    for act in (expand, expand_words):
        try:
            act(text, {"a": "va lue"}.get, escape)
        except ExpansionError as error:
            check_offset(error, text)


@given(st.text(alphabet="a$ {}:-\\'\"", max_size=24))
def test_any_heredoc_expands_or_fails(text: str) -> None:
    try:
        expand_body(text, {"a": "value"}.get)
    except ExpansionError as error:
        check_offset(error, text)


@given(st.text(max_size=20), st.integers(0, 20), st.integers(0, 20))
def test_slice_keeps_places(value: str, start: int, stop: int) -> None:
    text = Text(value, [(0, 1, 1), (7, 2, 4)])
    start, stop = min(start, len(value)), min(stop, len(value))
    part = text.slice(start, stop)
    assert part.value == value[start:stop]
    for offset in range(len(part)):
        assert part.position(offset) == text.position(start + offset)
