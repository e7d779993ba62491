"""Walking with verdicts handed down gives what matching every whole path gives."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from jubako.build.files.ignore import Ignore, parse
from jubako.build.files.tree import Tree
from jubako.errors import InvalidArgument

NAMES = st.sampled_from(["a", "b", "a.txt", "dir", "x"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
LINES = st.lists(
    st.tuples(
        st.sampled_from(["", "!"]),
        st.lists(st.sampled_from(["a", "b", "*", "**", "dir", "?", "*.txt", "x"]), min_size=1, max_size=3).map(
            "/".join
        ),
    ).map("".join),
    max_size=5,
)


@given(st.sets(PATHS, max_size=12), LINES)
@settings(max_examples=300, deadline=None)
def test_walk_shows_exactly_the_files_that_are_not_ignored(paths: set[str], lines: list[str]) -> None:
    ignore = Ignore(lines)
    files = {path for path in paths if not any(other.startswith(path + "/") for other in paths)}
    with TemporaryDirectory() as directory:
        for path in files:
            (Path(directory) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(directory) / path).touch()
        fd = os.open(directory, os.O_RDONLY)
        try:
            tree = Tree(fd, ignore)
            top = tree.find("")
            assert top is not None
            walked = {entry.name for entry in tree.walk(top)}
        finally:
            os.close(fd)
    assert {name for name in walked if name in files} == {
        path for path in files if not ignore.judge_whole(path).ignored
    }


def check_message(message: str) -> None:
    assert message.startswith(".dockerignore:")


@given(st.binary(max_size=60))
def test_any_bytes_are_rules_or_refused(data: bytes) -> None:
    try:
        parse(data, ".dockerignore").judge_whole("some/path")
    except InvalidArgument as error:
        check_message(error.message)
