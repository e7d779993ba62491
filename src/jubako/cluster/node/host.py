"""What the work on a pod needs of its node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from jubako.cluster.controllers.actions import EmitEvent

T = TypeVar("T")


class Host(Protocol):
    @property
    def address(self) -> str: ...

    async def blocking(self, call: Callable[[], T]) -> T:
        """Make a call in a thread."""

    def tell(self, event: EmitEvent) -> None: ...

    async def withdrawn(self, address: str) -> None:
        """Wait until no new connection is led to a pod's address, but not for ever."""

    async def execute(self, attempt: str, words: list[str], timeout_s: float) -> tuple[int, str]: ...
