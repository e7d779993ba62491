"""The progress of one target among several: its steps carry its name, as buildx shows them."""

from __future__ import annotations

from collections.abc import Sequence

from jubako.build.progress import BuildProgress, Step


class Prefixed:
    """`[build 2/4] RUN make` of target app is `[app build 2/4] RUN make`."""

    def __init__(self, progress: BuildProgress, name: str) -> None:
        self._progress = progress
        self._name = name

    def step(self, name: str) -> Step:
        inside = name.startswith("[") and not name.startswith("[internal]")
        return self._progress.step(f"[{self._name} {name[1:]}" if inside else f"[{self._name}] {name}")

    def warning(self, text: str) -> None:
        self._progress.warning(text)

    def remarks(self, lines: Sequence[str]) -> None:
        self._progress.remarks(lines)
