"""Expansion as BuildKit's shell/lex.go has it (the cases are those of its envVarTest, and more)."""

from __future__ import annotations

import pytest

from jubako.build.dockerfile.expansion import ExpansionError, expand, expand_body, expand_words

ENV = {
    "PWD": "/home",
    "SHELL": "bash",
    "KOREAN": "한국어",
    "NULL": "",
    "FILE": "foo.tar.gz",
    "PATHS": "/a/b/a",
    "S": "x y",
}

CASES = [
    ("he'll'o", "hello"),
    ("'hel\\'lo", "hel\\lo"),
    ("he\\'llo", "he'llo"),
    ('"hello"', "hello"),
    ('he"l\\"l"o', 'hel"lo'),
    ("he$PWD", "he/home"),
    ("he${PWD}x", "he/homex"),
    ("he'$PWD'", "he$PWD"),
    ('he"$PWD"', "he/home"),
    ("he\\$PWD", "he$PWD"),
    ("he$UNSET.", "he."),
    ("$", "$"),
    ("a$ b", "a$ b"),
    ("${}", None),
    ("${PWD", None),
    ("${PWD!x}", None),
    ("${:-x}", None),
    ("${PWD:#x}", None),
    ("${UNSET:-def}", "def"),
    ("${UNSET-def}", "def"),
    ("${NULL:-def}", "def"),
    ("${NULL-def}", ""),
    ("${UNSET:-$PWD}", "/home"),
    ("${UNSET:-${NULL:-deep}}", "deep"),
    ("${UNSET:-'}'}", "}"),
    ("${PWD:+set}", "set"),
    ("${NULL:+set}", ""),
    ("${NULL+set}", "set"),
    ("${UNSET+set}", ""),
    ("${PWD:?missing}", "/home"),
    ("${UNSET:?missing}", None),
    ("${NULL:?missing}", None),
    ("${NULL?missing}", ""),
    ("${FILE#*.}", "tar.gz"),
    ("${FILE##*.}", "gz"),
    ("${FILE%.*}", "foo.tar"),
    ("${FILE%%.*}", "foo"),
    ("${FILE%.zip}", "foo.tar.gz"),
    ("${FILE#f?o}", ".tar.gz"),
    ("${FILE/o/0}", "f0o.tar.gz"),
    ("${FILE//o/0}", "f00.tar.gz"),
    ("${PATHS//\\/a/-}", "-/b-"),
    ("${FILE/tar/$NULL}", "foo..gz"),
    ("${KOREAN}", "한국어"),
    ("$1$PWD", "/home"),
    ("trailing\\", "trailing"),
    ('"unclosed', None),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_expands(text: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(ExpansionError) as caught:
            expand(text, ENV.get)
        assert 0 <= caught.value.offset <= len(text)
    else:
        assert expand(text, ENV.get) == expected


def test_words_are_cut_where_a_variable_has_spaces_but_not_inside_quotes() -> None:
    assert expand_words("80 $S \"$S\" 'a b'c", ENV.get) == ["80", "x", "y", "x y", "a bc"]


def test_escape_character_can_be_the_backtick() -> None:
    assert expand("c:\\dir`$PWD", ENV.get, "`") == "c:\\dir$PWD"


def test_quotes_are_ordinary_in_a_heredoc() -> None:
    assert expand_body('it\'s "$PWD" \\$PWD \\n', ENV.get) == 'it\'s "/home" $PWD \\n'


def test_message_of_a_required_variable_is_shown() -> None:
    with pytest.raises(ExpansionError, match="UNSET: please give it"):
        expand("${UNSET:?please give it}", ENV.get)


def test_substitutions_nest_so_deep_and_no_deeper() -> None:
    assert expand("${a:-" * 99 + "x" + "}" * 99, lambda name: None) == "x"
    assert expand("${a:-x}" * 300, lambda name: None) == "x" * 300
    for deep in ("${a:-" * 2000, "${a:-" * 2000 + "}" * 2000):
        with pytest.raises(ExpansionError, match="nested too deeply"):
            expand(deep, lambda name: None)
