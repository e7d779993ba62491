"""Giving a build up: one flag for all running steps, and what each wants done when it is set.

Concurrency:  any thread. An act is called while its step is inside, never after that: what it ends (a process, an fd)
              is there as long. Acts are short, and call nothing of this.
"""

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
        """Set the flag and do what the running steps registered; raises what the first failed one raises, after all.

        More calls do nothing, but for what an interrupt has kept one from.
        """
        problem: Exception | None = None
        with self._lock:
            self._cancelled = True
            for token, act in list(self._acts.items()):
                try:
                    act()
                except Exception as error:
                    problem = problem or error
                del self._acts[token]
        if problem:
            raise problem

    def check(self) -> None:
        if self._cancelled:
            raise Cancelled

    @contextmanager
    def on_cancel(self, act: Callable[[], None]) -> Iterator[None]:
        """While inside, cancel() calls `act`; it is called at once when that has happened already."""
        token = object()
        with self._lock:
            late = self._cancelled
            if not late:
                self._acts[token] = act
        if late:
            act()
        try:
            yield
        finally:
            with self._lock:
                self._acts.pop(token, None)
