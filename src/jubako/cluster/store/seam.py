"""The object store as everything else sees it. Two implementations pass the same tests: in memory, and durable."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from jubako.cluster.store.model import Event, Item, Page, Write
from jubako.cluster.store.watching import Wake


class Subscription(Protocol):
    """The events under one prefix after one revision: each once, in order, none left out."""

    def take(self, limit: int) -> tuple[Sequence[Event], int]:
        """Return at once the next `limit` events, or fewer, and the revision up to which nothing is missing now.

        Raises Gone when events that it had not read are forgotten, and Stopped.
        """

    def close(self) -> None: ...


class ObjectStore(Protocol):
    """Keys with values and revisions. All methods may be called by any thread, and none but `close` waits for the disk.

    Reads see what is durable, all of it or nothing of each write, and see a write before its future is done.
    """

    @property
    def revision(self) -> int:
        """The revision of the latest write; everything that comes has a greater one."""

    def get(self, key: str) -> Item:
        """Return what is under `key`; NotFound."""

    def list(self, prefix: str, *, limit: int = 0, after: str = "", revision: int | None = None) -> Page:
        """Return items under `prefix` with keys beyond `after`, all as they were at one revision (None: the latest).

        To go on where a page ended, give the key of its last item and its revision. Raises Gone, FutureRevision.
        """

    def submit(self, writes: Sequence[Write]) -> Future[Sequence[Event]]:
        """Begin one transaction: all of the writes, each with its event, or none and the error of the first to fail.

        The future is done when the writes are durable. It cannot be cancelled.
        """

    def subscribe(self, prefix: str, after_revision: int, wake: Wake) -> Subscription:
        """Watch `prefix`. `wake` is called by any thread when there is something to take, until the next `take`;
        it must neither block nor call the store. Raises Gone, FutureRevision.
        """

    def compact(self, revision: int) -> Future[Sequence[Event]]:
        """Forget the history through `revision`, bit by bit between writes; no event comes of it. FutureRevision."""

    def close(self) -> None:
        """Finish what was submitted, and end every watch with Stopped."""
