"""Solve a graph: cached outputs first, then a bounded number of steps side by side.

Model:       the solver's thread decides (keys, cache, order); worker threads run the operations and hand back what
             came of it through one queue. A thread is started only for a step that really runs.
Invariant:   operations with equal keys run once at a time; the others wait and take the same output.
Failure:     the first failure cancels the running steps, nothing new starts, and it is raised when all have stopped.
Interrupts:  an interrupt is such a failure; the next ones do not shorten the wait.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial
from queue import SimpleQueue
from typing import Generic, Protocol

from jubako.build.graph.vertex import R, S, Vertex, reachable
from jubako.build.solver.cancellation import Cancellation, Cancelled

_LOOK_S = 1.0


class Cache(Protocol[S]):
    """Outputs by key; `name` is that of the step. Called from the solver's thread and from workers."""

    def find(self, key: str, name: str) -> S | None: ...

    def put(self, key: str, output: S, name: str) -> None: ...


class Observer(Protocol[R, S]):
    """Hears how the vertices fare, from the thread where it happens."""

    def started(self, vertex: Vertex[R, S]) -> None: ...

    def cached(self, vertex: Vertex[R, S]) -> None: ...

    def log(self, vertex: Vertex[R, S], data: bytes) -> None: ...

    def done(self, vertex: Vertex[R, S]) -> None: ...

    def failed(self, vertex: Vertex[R, S], error: BaseException) -> None: ...


class Solution(Generic[R, S]):
    """What came of each vertex that was needed."""

    def __init__(self) -> None:
        self._results: dict[int, R] = {}
        self._outputs: dict[int, S] = {}

    def result(self, vertex: Vertex[R, S]) -> R:
        return self._results[id(vertex)]

    def output(self, vertex: Vertex[R, S]) -> S:
        return self._outputs[id(vertex)]

    def inputs(self, vertex: Vertex[R, S]) -> list[R]:
        return [self._results[id(source)] for source in vertex.inputs]

    def settle(self, vertex: Vertex[R, S], output: S) -> None:
        self._outputs[id(vertex)] = output
        self._results[id(vertex)] = vertex.operation.result(self.inputs(vertex), output)


class _Finished(Generic[R, S]):
    """A worker's word: an output, or the error."""

    def __init__(self, vertex: Vertex[R, S], key: str | None, output: S | None, error: BaseException | None) -> None:
        self.vertex = vertex
        self.key = key
        self.output = output
        self.error = error


class _Task(Generic[R, S]):
    def __init__(self, vertex: Vertex[R, S], observer: Observer[R, S], cancellation: Cancellation) -> None:
        self._vertex = vertex
        self._observer = observer
        self._cancellation = cancellation

    def log(self, data: bytes) -> None:
        self._observer.log(self._vertex, data)

    def on_cancel(self, act: Callable[[], None]) -> AbstractContextManager[None]:
        return self._cancellation.on_cancel(act)

    def check(self) -> None:
        self._cancellation.check()


class Solver(Generic[R, S]):
    def __init__(
        self,
        cache: Cache[S],
        observer: Observer[R, S],
        *,
        workers: int | None = None,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_stop` is called when the rest is given up, before the running operations are waited for."""
        self._on_stop = on_stop
        self._cache = cache
        self._observer = observer
        self._workers = workers or max(2, os.cpu_count() or 1)

    def solve(self, targets: Sequence[Vertex[R, S]]) -> Solution[R, S]:
        """Bring every target (and what it needs) to its result; raises what the first failing operation raised."""
        return _Run(self._cache, self._observer, self._workers, targets, self._on_stop).solve()


class _Worker(threading.Thread):
    """Knows for itself when its work is over.

    After an interrupted join() Python 3.11 takes a running thread for one that has ended (bpo-45274's mend).
    """

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self._work = work
        self._ended = threading.Event()

    def run(self) -> None:
        try:
            self._work()
        finally:
            self._ended.set()

    def wait(self) -> None:
        """Return when it has ended, or was never started."""
        while not self._ended.wait(_LOOK_S) and self.ident is not None:
            pass


class _Run(Generic[R, S]):
    """One call of solve()."""

    def __init__(
        self,
        cache: Cache[S],
        observer: Observer[R, S],
        workers: int,
        targets: Sequence[Vertex[R, S]],
        on_stop: Callable[[], None],
    ) -> None:
        self.on_stop = on_stop
        self.cache = cache
        self.observer = observer
        self.workers = workers
        self.solution: Solution[R, S] = Solution()
        self.cancellation = Cancellation()
        self.finished: SimpleQueue[_Finished[R, S]] = SimpleQueue()
        self.threads: dict[int, _Worker] = {}
        self.same_key: dict[str, list[Vertex[R, S]]] = {}  # key in work -> those who wait for its output
        self.waiting: dict[int, int] = {}
        self.users: dict[int, list[Vertex[R, S]]] = {}
        self.ready: deque[Vertex[R, S]] = deque()
        self.failure: BaseException | None = None
        for vertex in reachable(targets):
            self._enter(vertex)

    def _enter(self, vertex: Vertex[R, S]) -> None:
        sources = {id(source) for source in vertex.inputs}
        self.waiting[id(vertex)] = len(sources)
        for source in sources:
            self.users.setdefault(source, []).append(vertex)
        if not sources:
            self.ready.append(vertex)

    def solve(self) -> Solution[R, S]:
        try:
            self._loop()
        except BaseException as error:
            self.failure = self.failure or error
        if self.failure is not None:
            self._stop()
            raise self.failure
        return self.solution

    def _loop(self) -> None:
        while self.failure is None and (self.ready or self.threads):
            while self.ready and len(self.threads) < self.workers and self.failure is None:
                self._begin(self.ready.popleft())
            if self.threads and self.failure is None:
                self._take(self.finished.get())

    def _begin(self, vertex: Vertex[R, S]) -> None:
        try:
            key = vertex.operation.key(self.solution.inputs(vertex))
            if key is not None and key in self.same_key:
                self.same_key[key].append(vertex)
                return
            output = self._known(vertex, key)
        except Exception as error:
            self._fail(vertex, error)
            return
        if output is not None:
            self._hit(vertex, output)
            return
        if key is not None:
            self.same_key[key] = []
        self._start(vertex, key)

    def _known(self, vertex: Vertex[R, S], key: str | None) -> S | None:
        return None if key is None or vertex.fresh else self.cache.find(key, vertex.operation.name)

    def _start(self, vertex: Vertex[R, S], key: str | None) -> None:
        thread = _Worker(partial(self._work, vertex, key, self.solution.inputs(vertex)))
        self.threads[id(vertex)] = thread
        thread.start()

    def _work(self, vertex: Vertex[R, S], key: str | None, inputs: list[R]) -> None:
        """A worker's whole life. It must always answer, whatever happens."""
        try:
            output = self._run(vertex, key, inputs)
            self.finished.put(_Finished(vertex, key, output, None))
        except BaseException as error:
            self.finished.put(_Finished(vertex, key, None, error))

    def _run(self, vertex: Vertex[R, S], key: str | None, inputs: list[R]) -> S:
        operation = vertex.operation
        content_key = operation.content_key(inputs) if key is not None else None
        output = self._known(vertex, content_key)
        if output is not None:
            self.observer.cached(vertex)
        else:
            self.observer.started(vertex)
            output = operation.run(inputs, _Task(vertex, self.observer, self.cancellation))
            self.observer.done(vertex)
        for each in (key, content_key):
            if each is not None:
                self.cache.put(each, output, operation.name)
        return output

    def _take(self, finished: _Finished[R, S]) -> None:
        self.threads.pop(id(finished.vertex)).join()
        waiters = self.same_key.pop(finished.key, []) if finished.key is not None else []
        if finished.error is not None or finished.output is None:
            self._fail(finished.vertex, finished.error or RuntimeError("an operation gave no output"))
            return
        self._settle(finished.vertex, finished.output)
        for vertex in waiters:
            self._hit(vertex, finished.output)

    def _hit(self, vertex: Vertex[R, S], output: S) -> None:
        self.observer.cached(vertex)
        self._settle(vertex, output)

    def _settle(self, vertex: Vertex[R, S], output: S) -> None:
        self.solution.settle(vertex, output)
        for user in self.users.get(id(vertex), ()):
            self.waiting[id(user)] -= 1
            if not self.waiting[id(user)]:
                self.ready.append(user)

    def _fail(self, vertex: Vertex[R, S], error: BaseException) -> None:
        if self.failure is None:
            self.failure = error
            if not isinstance(error, Cancelled):
                self.observer.failed(vertex, error)

    def _stop(self) -> None:
        """Give the rest up and wait until it has stopped."""
        for each in (self.cancellation.cancel, self.on_stop, *(thread.wait for thread in self.threads.values())):
            _uninterrupted(each)


def _uninterrupted(act: Callable[[], None]) -> None:
    """Call what may be called again until it returns. What it may raise is no reason to leave running threads alone."""
    while True:
        try:
            with suppress(Exception):
                act()
            return
        except KeyboardInterrupt:
            continue
