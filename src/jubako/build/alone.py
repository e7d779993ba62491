"""A task that nobody watches: what it does ends with the process or its interrupt."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext


class Alone:
    def log(self, data: bytes) -> None:
        """There is no step to show it at."""

    def on_cancel(self, act: Callable[[], None]) -> AbstractContextManager[None]:
        return nullcontext()

    def check(self) -> None:
        """Never given up."""
