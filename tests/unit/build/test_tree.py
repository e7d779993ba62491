"""Walks over a context: the order of names, and directories that come along for what is taken in beneath them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jubako.build.files.ignore import Ignore
from jubako.build.files.tree import Tree


def walked(base: Path, *rules: str) -> list[str]:
    fd = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
    try:
        tree = Tree(fd, Ignore(rules))
        root = tree.find("")
        assert root is not None
        return [entry.path for entry in tree.walk(root)][1:]
    finally:
        os.close(fd)


def fill(base: Path, *names: bytes) -> None:
    for name in names:
        path = os.path.join(os.fsencode(base), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb"):
            pass


@pytest.mark.parametrize("names", [(b"B", b"a", b"a-b", b"a/x", b"b"), (b"\xff", b"\xc3\xa9", b"\xee\x80\x80", b"a")])
def test_names_are_in_the_order_of_their_bytes(tmp_path: Path, names: tuple[bytes, ...]) -> None:
    """A byte that is no text is a surrogate, which is before most characters and stands for one after them."""
    fill(tmp_path, *(name for name in names if name != b"a" or b"a/x" not in names))
    found = [os.fsencode(path) for path in walked(tmp_path)]
    assert found == sorted(names, key=lambda name: name.split(b"/"))


def test_a_directory_is_followed_by_all_beneath_it(tmp_path: Path) -> None:
    fill(tmp_path, b"a/b/c", b"a/d", b"a.txt", b"e/f")
    assert walked(tmp_path) == ["a", "a/b", "a/b/c", "a/d", "a.txt", "e", "e/f"]


def test_an_ignored_directory_comes_along_for_what_is_taken_in(tmp_path: Path) -> None:
    fill(tmp_path, b"a/b/c/keep", b"a/b/other", b"a/x", b"d/e", b"f")
    assert walked(tmp_path, "a", "d", "!a/b/c/keep") == ["a", "a/b", "a/b/c", "a/b/c/keep", "f"]


def test_what_is_taken_in_of_an_empty_directory_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    assert walked(tmp_path, "a", "!a/b/c") == []
