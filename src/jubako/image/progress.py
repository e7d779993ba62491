"""How long work tells its caller where it stands: load, pull, push and build report here."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    def update(self, id: str, status: str, current: int | None = None, total: int | None = None) -> None:
        """`id` (a layer, a step) is now in `status`; `current` of `total` bytes are done, where that is known."""


class Silent:
    """For callers that do not want to know."""

    def update(self, id: str, status: str, current: int | None = None, total: int | None = None) -> None:
        pass


def short(digest: str) -> str:
    """A digest as people read it: twelve digits."""
    return digest.partition(":")[2][:12]


SILENT: Progress = Silent()
