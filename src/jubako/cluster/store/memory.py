"""An object store that ends with its process, for tests.

Concurrency:  a write happens in the thread that submits it, and what is due by time happens with the next write.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from jubako.cluster.store.core import Core, Options, Request
from jubako.cluster.store.history import History
from jubako.cluster.store.model import FIRST_REVISION, Event, Stopped
from jubako.cluster.store.view import Clock


class MemoryStore(Core):
    def __init__(self, options: Options | None = None, *, clock: Clock = time.monotonic) -> None:
        super().__init__((), History(0), FIRST_REVISION, options or Options(), clock)
        self._writing = threading.Lock()

    def close(self) -> None:
        with self._writing:
            self._stop(Stopped())

    def _begin(self, request: Request) -> Future[Any]:
        with self._writing:
            later: Sequence[Request] = (request,)
            while later:
                _, later = self._process(later)
        request.answer()
        return request.future

    def _persist(self, events: Sequence[Event], through: int) -> None:
        """There is nothing beneath."""
