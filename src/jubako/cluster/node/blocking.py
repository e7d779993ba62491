"""Calling from the event loop what blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Protocol, TypeVar

T = TypeVar("T")


class Blocking(Protocol):
    """Runs a call in a thread, one of a few: what may take long does not belong there."""

    async def __call__(self, call: Callable[[], T]) -> T: ...


async def acquired(blocking: Blocking, make: Callable[[], T], release: Callable[[T], object]) -> T:
    """Make, in a thread, what the caller then has to let go of. Cancelled meanwhile, it is made and let go of here."""
    making = asyncio.ensure_future(blocking(make))
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        with suppress(Exception):
            await blocking(partial(release, await making))
        raise
