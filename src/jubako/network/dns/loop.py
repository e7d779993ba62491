"""Sockets and timers of one thread."""

from __future__ import annotations

import heapq
import selectors
import time
from collections.abc import Callable
from itertools import count
from socket import socket

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Timer:
    """A call that will be made, unless it is cancelled."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class Loop:
    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._numbers = count()
        self._ended = False

    def watch(self, on: socket, events: int, call: Callable[[], None]) -> None:
        """Call whenever one of `events` is there; replaces what was said of this socket before."""
        if on in self._selector.get_map():
            self._selector.modify(on, events, call)
        else:
            self._selector.register(on, events, call)

    def close(self, on: socket) -> None:
        """Close a socket, watched or not."""
        if on.fileno() >= 0 and on in self._selector.get_map():
            self._selector.unregister(on)
        on.close()

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        timer = Timer(call)
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._numbers), timer))
        return timer

    def end(self) -> None:
        self._ended = True

    def run(self) -> None:
        """Run until `end`."""
        while not self._ended:
            wait_s = max(self._timers[0][0] - time.monotonic(), 0.0) if self._timers else None
            for key, _ in self._selector.select(wait_s):
                # What one call closes, another of the same round may still be about.
                if key.fileobj in self._selector.get_map():
                    key.data()
            self._call_due()

    def _call_due(self) -> None:
        while self._timers and self._timers[0][0] <= time.monotonic():
            timer = heapq.heappop(self._timers)[2]
            if timer.call is not None:
                timer.call()
