"""Which directories of an archive are dressed at the end, in which order, and at what cost."""

from __future__ import annotations

import random

from jubako.image.layer.directories import Directories
from jubako.image.layer.tar import DIRECTORY, Entry


def entry(path: bytes) -> Entry:
    return Entry(path, DIRECTORY)


def left(directories: Directories) -> list[bytes]:
    return [path for path, _ in directories.deepest_first()]


def test_children_come_before_their_parents() -> None:
    for replaces in (False, True):
        directories = Directories()
        for path in (b"", b"a", b"a/b", b"a-b", b"a/b/c"):
            directories.add(path, entry(path))
        if replaces:
            directories.replaced(b"elsewhere")
        order = left(directories)
        assert set(order) == {b"", b"a", b"a/b", b"a-b", b"a/b/c"}
        assert order.index(b"a/b/c") < order.index(b"a/b") < order.index(b"a") < order.index(b"")


def test_what_was_replaced_is_gone_until_it_is_brought_again() -> None:
    """Against the plain way: search all that is known whenever something is replaced."""
    for seed in range(300):
        chance = random.Random(seed)
        directories, known = Directories(), dict[bytes, Entry]()
        for _ in range(30):
            path = b"/".join(chance.choice([b"a", b"b", b"a-b"]) for _ in range(chance.randint(1, 4)))
            if chance.random() < 0.6:
                known[path] = entry(path)
                directories.add(path, known[path])
            else:
                directories.replaced(path)
                known = {p: e for p, e in known.items() if p != path and not p.startswith(path + b"/")}
        assert dict(directories.deepest_first()) == known


def test_an_archive_that_replaces_one_for_each_that_it_brings_costs_no_search() -> None:
    directories = Directories()
    for number in range(200_000):
        path = b"kept-%d" % number
        directories.add(path, entry(path))
        directories.replaced(b"changing")
    assert len(left(directories)) == 200_000
