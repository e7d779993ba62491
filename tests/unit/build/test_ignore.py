"""The dialect of .dockerignore (the cases are moby/patternmatcher's and the reference's)."""

from __future__ import annotations

import pytest

from jubako.build.files.ignore import Ignore, parse
from jubako.errors import InvalidArgument

CASES = [
    ("**", "file", True),
    ("**", "dir/file", True),
    ("**/file", "file", True),
    ("**/file", "a/b/file", True),
    ("dir/**", "dir/file", True),
    ("dir/**", "dir", False),
    ("**/dir2/*", "dir/dir2/file", True),
    ("**/dir2/**", "dir/dir2/dir3/file", True),
    ("**file", "dir/dir/file", True),
    ("**/file*.txt", "a/file2.txt", True),
    ("a**/b", "abc/x/b", True),
    ("abc.def", "abcdef", False),
    ("abc?def", "abcZdef", True),
    ("a\\*b", "a*b", True),
    ("a\\*b", "aXb", False),
    ("[a-c]x", "bx", True),
    ("[^a-c]x", "bx", False),
    ("*", "a/b", True),
    ("*/temp*", "dir/temp1", True),
    ("*/temp*", "dir/sub/temp1", False),
    ("temp?", "tempa", True),
    ("/foo", "foo", True),
    ("foo/", "foo/bar", True),
    ("./foo/../bar", "bar", True),
    ("dir", "dir/below/file", True),
    (".*", ".foo", True),
    ("a(b)+", "a(b)+", True),
    ("{a,b}", "a", False),
]


@pytest.mark.parametrize(("pattern", "path", "ignored"), CASES)
def test_pattern(pattern: str, path: str, ignored: bool) -> None:
    assert Ignore([pattern]).judge_whole(path).ignored is ignored
    # With a "!" rule somewhere the other way of matching is taken.
    assert Ignore([pattern, "!never/there"]).judge_whole(path).ignored is ignored


def test_last_match_wins() -> None:
    rules = Ignore(["*.md", "!README*.md", "README-secret.md"])
    verdicts = [rules.judge_whole(name).ignored for name in ("a.md", "README.md", "README-secret.md", "x")]
    assert verdicts == [True, False, True, False]


def test_exception_reaches_into_an_ignored_directory() -> None:
    rules = Ignore(["dir", "!dir/keep"])
    assert rules.judge_whole("dir/other").ignored
    assert not rules.judge_whole("dir/keep").ignored
    assert not rules.judge_whole("dir/keep/below").ignored


def test_only_directories_that_an_exception_may_reach_are_looked_into() -> None:
    rules = Ignore(["*", "!src/lib/*.py"])
    assert rules.may_take_in_below("src")
    assert rules.may_take_in_below("src/lib")
    assert not rules.may_take_in_below("node_modules")
    assert not rules.may_take_in_below("src/other")
    assert Ignore(["*", "!**/x"]).may_take_in_below("anything")


def test_comments_and_empty_lines_are_no_rules() -> None:
    rules = parse(b"\xef\xbb\xbf# all\n\n   \n  spaced  \r\n", ".dockerignore")
    assert rules.judge_whole("spaced").ignored
    assert not rules.judge_whole("# all").ignored


@pytest.mark.parametrize(("data", "problem"), [(b"a\n!", ":2: illegal exclusion"), (b"[a", ":1: syntax error")])
def test_bad_line_is_named(data: bytes, problem: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse(data, "my.dockerignore")
    assert problem in caught.value.message
