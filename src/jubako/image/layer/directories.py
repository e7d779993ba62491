"""The directories that an archive brought: they get their mode, owner and times last, deepest first.

Cost: linear in what the archive has. An archive may replace a directory for every one that it brings, so nothing is
      searched when one is replaced; what was replaced is found out once, at the end.
"""

from __future__ import annotations

from collections.abc import Iterator

from jubako.image.layer.tar.entry import Entry


class Directories:
    """What to do at the end, by clean path."""

    def __init__(self) -> None:
        self._brought: dict[bytes, tuple[int, Entry]] = {}
        self._replaced: dict[bytes, int] = {}
        self._clock = 0

    def add(self, path: bytes, entry: Entry) -> None:
        self._clock += 1
        self._brought[path] = (self._clock, entry)

    def replaced(self, path: bytes) -> None:
        """Whatever was brought so far at `path` and beneath it is gone."""
        self._clock += 1
        self._replaced[path] = self._clock

    def deepest_first(self) -> Iterator[tuple[bytes, Entry]]:
        """Those that are still there, unless they went under another name, through a link."""
        if not self._replaced:
            for path in sorted(self._brought, reverse=True):
                yield path, self._brought[path][1]
            return
        left = list(self._left())
        while left:
            yield left.pop()

    def _left(self) -> Iterator[tuple[bytes, Entry]]:
        """Parents first: on the way down, when was the last time that something above was replaced?"""
        above: list[tuple[bytes, int]] = []
        # With NUL for the slash a directory's own come right behind it.
        for path in sorted({*self._brought, *self._replaced}, key=lambda path: path.replace(b"/", b"\0")):
            while above and not path.startswith(above[-1][0]):
                above.pop()
            latest = max(above[-1][1] if above else 0, self._replaced.get(path, 0))
            if path in self._replaced:
                above.append((path + b"/", latest))
            brought = self._brought.get(path)
            if brought and brought[0] > latest:
                yield path, brought[1]
