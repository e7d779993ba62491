"""How a batch of requests is worked off, whatever makes it durable.

Model:        stage all requests -> persist -> show -> answer. With each batch goes what is due besides: keys whose time
              is over are deleted, and a bounded piece of the history is forgotten.
Invariants:   a revision is used once, also where persisting failed. Nothing staged is seen by anybody before it is
              durable, not even in the error of another write.
Concurrency:  one thread at a time calls `_process`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import Any

import msgspec

from jubako.cluster.store.ephemeral import Rules
from jubako.cluster.store.history import History, Retention
from jubako.cluster.store.model import Delete, Event, FutureRevision, Item, Stopped, Write
from jubako.cluster.store.staging import Staging, validate
from jubako.cluster.store.view import Clock, View
from jubako.errors import JubakoError, ResourceExhausted

_EXPIRE_AT_ONCE = 1000
_FORGET_AT_ONCE = 1000
_RETRY_S = 1.0


class Options(msgspec.Struct, frozen=True):
    """`ephemeral` says which keys are kept in memory only (ephemeral.py), `keep` how much history there is."""

    ephemeral: Rules = {}
    keep: Retention = Retention()


class Request:
    """A transaction, or the wish to forget `through` a revision, on its way."""

    def __init__(self, writes: Sequence[Write], through: int = 0) -> None:
        self.future: Future[Any] = Future()
        self.future.set_running_or_notify_cancel()
        self.through = through
        self._writes = writes
        self._outcome: Sequence[Event] | Exception = ()

    def stage(self, staging: Staging) -> None:
        try:
            self._outcome = staging.add(self._writes)
        except JubakoError as error:
            self._outcome = error

    def fail(self, error: Exception) -> None:
        self._outcome = error

    def answer(self) -> None:
        if isinstance(self._outcome, Exception):
            self.future.set_exception(self._outcome)
        else:
            self.future.set_result(self._outcome)


class Core(View):
    def __init__(self, items: Iterable[Item], history: History, revision: int, options: Options, clock: Clock) -> None:
        super().__init__(items, history, revision, options.ephemeral)
        self._keep = options.keep
        self._clock = clock
        self._allocated = revision
        self._not_before = 0.0

    def submit(self, writes: Sequence[Write]) -> Future[Sequence[Event]]:
        validate(writes)
        return self._begin(Request(writes))

    def compact(self, revision: int) -> Future[Sequence[Event]]:
        if revision > self._revision:
            raise FutureRevision(revision, self._revision)
        return self._begin(Request((), revision))

    def _begin(self, request: Request) -> Future[Any]:
        """Have the request processed and answered."""
        raise NotImplementedError

    def _persist(self, events: Sequence[Event], through: int) -> None:
        """Make the events durable, and that the history through a revision is forgotten, both or neither."""
        raise NotImplementedError

    def _process(self, requests: Sequence[Request]) -> tuple[Sequence[Request], Sequence[Request]]:
        """Work off a batch; return the requests that may be answered, and those that must come with the next."""
        now = self._clock()
        try:
            if self._stopped:
                raise self._stopped
            through = self._commit(requests, now)
        except Exception as error:
            self._failed(requests, error, now)
            return requests, ()
        later = [request for request in requests if request.through > through]
        return [request for request in requests if request.through <= through], later

    def _commit(self, requests: Sequence[Request], now: float) -> int:
        """Do a batch, and return the revision through which the history is forgotten."""
        staging = self._stage(requests, now)
        self._allocated += len(staging.events)
        through = self._excess(max((request.through for request in requests), default=0), now, len(staging.events))
        self._persist(staging.events, through)
        if staging.events:
            self._apply(staging.events, now)
        self._forget(through)
        return through

    def _stage(self, requests: Sequence[Request], now: float) -> Staging:
        staging = Staging(self._table, self._allocated)
        for key in self._ephemeral.ended(now)[:_EXPIRE_AT_ONCE]:
            staging.add([Delete(key, self.get(key).revision)])
        for request in requests:
            request.stage(staging)
        return staging

    def _excess(self, wanted: int, now: float, growth: int) -> int:
        """Through which revision to forget now: in pieces, which still are larger than what comes in."""
        revision = max(wanted, self._history.excess(self._keep, now))
        return self._history.cut(revision, max(_FORGET_AT_ONCE, 2 * growth))

    def _failed(self, requests: Sequence[Request], error: Exception, now: float) -> None:
        """Nothing of the batch has happened. With space again it can go on; after any other failure nothing is sure."""
        self._not_before = now + _RETRY_S
        if not isinstance(error, ResourceExhausted):
            self._stop(error if isinstance(error, Stopped) else Stopped(str(error)))
        for request in requests:
            request.fail(error)

    def _due(self) -> float | None:
        """When there is something to do without a request."""
        moments = (self._ephemeral.next_end(), self._history.next_excess(self._keep))
        soonest = min((moment for moment in moments if moment is not None), default=None)
        return None if soonest is None or self._stopped else max(soonest, self._not_before)
