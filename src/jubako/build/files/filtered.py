"""Walks with something left out, or with the directories that lead to a place: COPY --exclude and --parents."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterable, Iterator

from jubako.build.files.ignore import Ignore
from jubako.build.files.tree import Entry, Tree


def without(entries: Iterable[Entry], rules: Ignore) -> Iterator[Entry]:
    """The walk `entries` without what `rules` leave out, compared by name; a directory that is left out comes along
    when something in it is taken in again."""
    verdicts = {"": rules.top}
    waiting: list[Entry] = []
    for entry in entries:
        is_directory = stat.S_ISDIR(entry.status.st_mode)
        verdict = rules.judge(entry.name, verdicts[posixpath.dirname(entry.name)]) if entry.name else rules.top
        if is_directory:
            verdicts[entry.name] = verdict
        while waiting and not entry.name.startswith(waiting[-1].name + "/"):
            waiting.pop()
        if not verdict.ignored:
            yield from waiting
            waiting.clear()
            yield entry
        elif is_directory:
            waiting.append(entry)


def with_parents(tree: Tree, pivot: Entry, paths: Iterable[str]) -> Iterator[Entry]:
    """The pivot, then each path with all beneath it, after the directories above it; named from there, once each."""
    yield Entry(pivot.path, "", pivot.status)
    seen = {""}
    for path in paths:
        for entry in _named(tree, pivot, path):
            if entry.name not in seen:
                seen.add(entry.name)
                yield entry


def _named(tree: Tree, pivot: Entry, path: str) -> Iterator[Entry]:
    name = posixpath.relpath(path or ".", pivot.path or ".")
    parts = name.split("/")
    for count in range(1, len(parts)):
        above = "/".join(parts[:count])
        if found := tree.find(tree.real(posixpath.join(pivot.path, above))):
            yield Entry(found.path, above, found.status)
    if found := tree.find(tree.real(path)):
        for entry in tree.walk(found):
            whole = posixpath.normpath(posixpath.join(name, entry.name))
            yield Entry(entry.path, "" if whole == "." else whole, entry.status)
