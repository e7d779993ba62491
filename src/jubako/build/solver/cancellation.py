"""Giving a build up: one flag for all running steps, and what each wants done when it is set."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cancelled(Exception):
    """The build was given up because another step failed or the caller asked."""


class Cancellation:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._acts: dict[object, Callable[[], None]] = {}

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        """Set the flag and do what the running steps registered; more calls do nothing."""
        with self._lock:
            acts = [] if self._cancelled else list(self._acts.values())
            self._cancelled = True
        for act in acts:
            act()

    def check(self) -> None:
        if self._cancelled:
            raise Cancelled

    @contextmanager
    def on_cancel(self, act: Callable[[], None]) -> Iterator[None]:
        """While inside, cancel() calls `act`; it is called at once when that has happened already."""
        token = object()
        with self._lock:
            late = self._cancelled
            self._acts[token] = act
        if late:
            act()
        try:
            yield
        finally:
            with self._lock:
                del self._acts[token]
