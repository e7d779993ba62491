"""Calling from the event loop what blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Blocking(Protocol):
    """Runs a call in a thread, one of a few: what may take long does not belong there."""

    async def __call__(self, call: Callable[[], T]) -> T: ...
