"""The object store that survives its process: a thread that writes, over a database.

Model:        requests wait in a queue while the disk is busy; all that wait are the next batch, and share its fsync.
Invariants:   a future is done, and an event is seen, only after COMMIT has returned. A revision is given out only below
              what the database has reserved, so that it never comes again, whatever was lost of what is ephemeral.
Concurrency:  one process (Conflict for a second). The thread writes; readers never meet the database.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from jubako.cluster.store.core import Core, Options, Request
from jubako.cluster.store.database import Database
from jubako.cluster.store.history import History
from jubako.cluster.store.model import Event, Stopped
from jubako.cluster.store.view import Clock

_AT_ONCE = 1000


class DurableStore(Core):
    """Opens or makes the store in a directory. Raises Conflict, DataLoss, and what a disk may have against it."""

    def __init__(self, directory: Path, options: Options | None = None, *, clock: Clock = time.monotonic) -> None:
        self._database = Database(directory)
        try:
            items, events, compacted = self._database.load()
        except BaseException:
            self._database.close()
            raise
        history = History(compacted, events, clock())
        super().__init__(items, history, self._database.reserved, options or Options(), clock)
        self._queue: SimpleQueue[Request | None] = SimpleQueue()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="object-store", daemon=True)
        self._thread.start()

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        self._queue.put(None)
        self._thread.join()
        self._stop(Stopped())
        self._refuse()
        self._database.close()

    def _begin(self, request: Request) -> Future[Any]:
        self._queue.put(request)
        if self._stopped:  # asked after the put, since nobody looks into the queue any more
            self._refuse()
        return request.future

    def _refuse(self) -> None:
        for request in self._waiting():
            request.fail(self._stopped or Stopped())
            request.answer()

    def _run(self) -> None:
        later: Sequence[Request] = ()
        while later or not self._closing or not self._queue.empty():
            done, later = self._process([*later, *self._collect(wait=not later)])
            for request in done:
                request.answer()

    def _collect(self, *, wait: bool) -> list[Request]:
        """Return what waits in the queue; if that is nothing, `wait` for a request or for what is due without one."""
        found = self._waiting()
        if found or not wait or self._closing:  # what wakes this thread to close may have been among what waited
            return found
        due = self._due()
        try:
            first = self._queue.get(timeout=None if due is None else max(0.0, due - self._clock()))
        except Empty:
            return []
        return [*([first] if first else []), *self._waiting()]

    def _waiting(self) -> list[Request]:
        found: list[Request] = []
        try:
            while len(found) < _AT_ONCE:
                request = self._queue.get_nowait()
                if request:
                    found.append(request)
        except Empty:
            pass
        return found

    def _persist(self, events: Sequence[Event], through: int) -> None:
        lasting = [event for event in events if not self._ephemeral.covers(event.key)]
        revision = events[-1].revision if events else 0
        forgotten = through if self._forgets_lasting(through) else 0
        if lasting or forgotten or revision > self._database.reserved:
            self._database.commit(lasting, forgotten, revision)

    def _forgets_lasting(self, through: int) -> bool:
        """Whether the database's log holds anything through that revision."""
        return any(not self._ephemeral.covers(event.key) for event in self._history.through(through))
