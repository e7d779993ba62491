"""The solver with operations that only count: order, cache, sharing, failure, cancellation."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import ExitStack
from functools import partial
from types import FrameType
from typing import NoReturn

import pytest

from jubako.build.graph.vertex import Task, Vertex, reachable
from jubako.build.solver.cancellation import Cancellation, Cancelled
from jubako.build.solver.solver import Solver

V = Vertex[str, str]


class Fake:
    """Its output is its name; its result also says what it was made from."""

    def __init__(
        self,
        name: str,
        act: Callable[[Task], None] | None = None,
        key: str | None = "",
        content_key: str | None = None,
    ) -> None:
        self.name = name
        self.runs = 0
        self._act = act
        self._key = key
        self._content_key = content_key

    def key(self, inputs: Sequence[str]) -> str | None:
        return f"{self.name}({','.join(inputs)})" if self._key == "" else self._key

    def content_key(self, inputs: Sequence[str]) -> str | None:
        return self._content_key

    def run(self, inputs: Sequence[str], task: Task) -> str:
        self.runs += 1
        if self._act:
            self._act(task)
        return self.name

    def result(self, inputs: Sequence[str], output: str) -> str:
        return f"{output}<{','.join(inputs)}>"


class Memory(dict[str, str]):
    def find(self, key: str, name: str) -> str | None:
        return self.get(key)

    def put(self, key: str, output: str, name: str) -> None:
        self[key] = output


class Recorder:
    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def started(self, vertex: V) -> None:
        self.events.append(("started", vertex.operation.name))

    def cached(self, vertex: V) -> None:
        self.events.append(("cached", vertex.operation.name))

    def log(self, vertex: V, data: bytes) -> None:
        self.events.append(("log", data.decode()))

    def done(self, vertex: V) -> None:
        self.events.append(("done", vertex.operation.name))

    def failed(self, vertex: V, error: BaseException) -> None:
        self.events.append(("failed", vertex.operation.name))


def solver(cache: Memory | None = None, recorder: Recorder | None = None, workers: int = 4) -> Solver[str, str]:
    return Solver(Memory() if cache is None else cache, recorder or Recorder(), workers=workers)


def test_result_is_made_of_inputs_and_output() -> None:
    base: V = Vertex(Fake("base"))
    top: V = Vertex(Fake("top"), [base, Vertex(Fake("side"))])
    assert solver().solve([top]).result(top) == "top<base<>,side<>>"


def test_only_what_the_target_needs_runs() -> None:
    needed, unused = Fake("needed"), Fake("unused")
    base: V = Vertex(needed)
    Vertex(unused, [base])
    target: V = Vertex(Fake("target"), [base])
    solver().solve([target])
    assert (needed.runs, unused.runs) == (1, 0)


def test_shared_vertex_runs_once() -> None:
    shared = Fake("shared")
    base: V = Vertex(shared)
    solver().solve([Vertex(Fake("a"), [base]), Vertex(Fake("b"), [base]), base])
    assert shared.runs == 1


def test_same_input_twice_is_waited_for_once() -> None:
    base: V = Vertex(Fake("base"))
    twice: V = Vertex(Fake("twice"), [base, base])
    assert solver().solve([twice]).result(twice) == "twice<base<>,base<>>"


def test_a_fresh_vertex_takes_nothing_from_the_cache_and_renews_it() -> None:
    cache, operation = Memory(), Fake("step")
    solver(cache).solve([Vertex(operation)])
    solver(cache).solve([Vertex(operation, fresh=True)])
    assert operation.runs == 2
    solver(cache).solve([Vertex(operation)])
    assert operation.runs == 2


def test_a_fresh_vertex_does_not_look_for_its_content_either() -> None:
    operation = Fake("step", content_key="content")
    solver(Memory({"content": "made before"})).solve([Vertex(operation, fresh=True)])
    assert operation.runs == 1


def test_who_fetches_is_told_before_running_operations_are_waited_for() -> None:
    """Here the operation that runs can not end otherwise."""
    begun, told = threading.Event(), threading.Event()

    def wait(task: Task) -> None:
        begun.set()
        assert told.wait(60)

    def fail(task: Task) -> None:
        assert begun.wait(60)
        raise RuntimeError("failed")

    run: Solver[str, str] = Solver(Memory(), Recorder(), workers=2, on_stop=told.set)
    with pytest.raises(RuntimeError, match="failed"):
        run.solve([Vertex(Fake("waits", wait)), Vertex(Fake("fails", fail))])


def test_cached_output_is_not_made_again() -> None:
    cache = Memory()
    for expected in (1, 0):
        operation = Fake("step")
        solver(cache).solve([Vertex(operation)])
        assert operation.runs == expected


def test_content_key_hits_after_the_cheap_key_missed_and_is_remembered_under_it() -> None:
    cache, recorder, operation = Memory({"content": "made before"}), Recorder(), Fake("step", content_key="content")
    vertex: V = Vertex(operation)
    solution = solver(cache, recorder).solve([vertex])
    assert operation.runs == 0
    assert solution.output(vertex) == "made before"
    assert cache["step()"] == "made before"
    assert recorder.events == [("cached", "step")]


def test_operation_without_a_key_always_runs() -> None:
    cache, operation = Memory(), Fake("step", key=None)
    for _ in range(2):
        solver(cache).solve([Vertex(operation)])
    assert operation.runs == 2
    assert not cache


def test_identical_work_side_by_side_runs_once() -> None:
    release = threading.Event()
    first = Fake("slow", lambda task: assert_set(release), key="same")
    second = Fake("slow", lambda task: assert_set(release), key="same")
    opener = Fake("opener", lambda task: release.set())
    recorder = Recorder()
    solution_of = [Vertex(first), Vertex(second), Vertex(opener)]
    solver(recorder=recorder).solve(solution_of)
    assert first.runs + second.runs == 1
    assert ("cached", "slow") in recorder.events


def assert_set(event: threading.Event) -> None:
    assert event.wait(60)


def test_independent_operations_run_side_by_side() -> None:
    barrier = threading.Barrier(3, timeout=60)
    vertices: list[V] = [Vertex(Fake(name, lambda task: wait(barrier))) for name in "abc"]
    solver(workers=3).solve(vertices)


def wait(barrier: threading.Barrier) -> None:
    barrier.wait()


def test_as_many_run_at_once_as_there_are_workers_and_no_more() -> None:
    lock, running, most = threading.Lock(), [0], [0]
    pair = threading.Barrier(2, timeout=60)

    def act(task: Task) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        pair.wait()
        with lock:
            running[0] -= 1

    solver(workers=2).solve([Vertex(Fake(str(number), act)) for number in range(20)])
    assert most[0] == 2


class Clock:
    """Time that stands still until the operations that shall be at work are all at work."""

    def __init__(self) -> None:
        self.now = 0
        self._change = threading.Condition()
        self._until: dict[str, int] = {}

    def work(self, name: str, duration: int) -> None:
        with self._change:
            self._until[name] = end = self.now + duration
            self._change.notify_all()
            assert self._change.wait_for(lambda: self.now >= end, 10)
            del self._until[name]
            self._change.notify_all()

    def advance(self, names: set[str]) -> None:
        """To the moment when the first of `names` is done."""
        with self._change:
            assert self._change.wait_for(lambda: self._until.keys() == names, 10), f"{self._until} at {self.now}"
            self.now = min(self._until.values())
            self._change.notify_all()


def test_four_independent_stages_take_as_long_as_the_longest() -> None:
    clock = Clock()
    stages = {"a": [5], "b": [1, 1, 1, 1], "c": [3, 1], "d": [2]}
    tops: list[V] = []
    for stage, durations in stages.items():
        vertex: V = Vertex(Fake(stage))
        for number, duration in enumerate(durations):
            vertex = Vertex(Fake(f"{stage}{number}", partial(work, clock, f"{stage}{number}", duration)), [vertex])
        tops.append(vertex)
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(solver(workers=4).solve, [Vertex(Fake("last"), tops)])
        for names in ("a0 b0 c0 d0", "a0 b1 c0 d0", "a0 b2 c0", "a0 b3 c1", "a0"):
            clock.advance(set(names.split()))
        done.result(60)
    assert clock.now == 5


def work(clock: Clock, name: str, duration: int, task: Task) -> None:
    clock.work(name, duration)


def test_failure_is_raised_and_stops_the_rest() -> None:
    running, stopped = threading.Event(), threading.Event()

    def fail(task: Task) -> None:
        assert running.wait(60)
        raise RuntimeError("broken")

    def until_cancelled(task: Task) -> None:
        with task.on_cancel(stopped.set):
            running.set()
            assert stopped.wait(60)
        task.check()

    bad: V = Vertex(Fake("bad", fail))
    later = Fake("later")
    recorder = Recorder()
    with pytest.raises(RuntimeError, match="broken"):
        solver(recorder=recorder).solve([Vertex(later, [bad]), Vertex(Fake("other", until_cancelled))])
    assert stopped.is_set()
    assert later.runs == 0
    assert [event for event in recorder.events if event[0] == "failed"] == [("failed", "bad")]


def test_further_interrupts_do_not_shorten_the_wait_for_running_steps() -> None:
    running, cancelled, stopping, handled, over = (threading.Event() for _ in range(5))
    ended: list[str] = []

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        handled.set()
        raise KeyboardInterrupt

    def fail(task: Task) -> None:
        assert running.wait(30)
        raise RuntimeError("broken")

    def act() -> None:
        if not cancelled.is_set():
            cancelled.set()
            raise KeyboardInterrupt

    def slow(task: Task) -> None:
        with task.on_cancel(act):
            running.set()
            assert stopping.wait(30)
        os.kill(os.getpid(), signal.SIGINT)
        assert handled.wait(30)
        over.wait(0.5)
        ended.append("slow")

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        with pytest.raises(RuntimeError, match="broken"):
            Solver(Memory(), Recorder(), workers=2, on_stop=stopping.set).solve(
                [Vertex(Fake("bad", fail)), Vertex(Fake("slow", slow))]
            )
        seen = list(ended)
    finally:
        over.set()
        stopping.set()
        signal.signal(signal.SIGINT, before)
    assert seen == ["slow"]


def test_failed_output_is_not_cached() -> None:
    cache = Memory()

    def fail(task: Task) -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        solver(cache).solve([Vertex(Fake("bad", fail))])
    assert not cache


def test_finished_neighbours_of_a_failure_stay_cached() -> None:
    cache, done = Memory(), threading.Event()

    class Telling(Memory):
        def put(self, key: str, output: str, name: str) -> None:
            cache[key] = output
            done.set()

    def fail(task: Task) -> None:
        assert done.wait(60)
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        solver(Telling()).solve([Vertex(Fake("bad", fail)), Vertex(Fake("good"))])
    assert cache == {"good()": "good"}


def test_key_that_raises_fails_the_build() -> None:
    class NoKey(Fake):
        def key(self, inputs: Sequence[str]) -> str | None:
            raise ValueError("no such file")

    recorder = Recorder()
    with pytest.raises(ValueError, match="no such file"):
        solver(recorder=recorder).solve([Vertex(NoKey("step"))])
    assert recorder.events == [("failed", "step")]


def test_output_of_a_step_is_told() -> None:
    recorder = Recorder()
    solver(recorder=recorder).solve([Vertex(Fake("step", lambda task: task.log(b"hello")))])
    assert recorder.events == [("started", "step"), ("log", "hello"), ("done", "step")]


def test_no_thread_is_started_for_cached_steps() -> None:
    cache = Memory({"base()": "base", "top(base<>)": "top"})
    before = threading.active_count()
    top: V = Vertex(Fake("top"), [Vertex(Fake("base"))])
    assert solver(cache).solve([top]).result(top) == "top<base<>>"
    assert threading.active_count() == before


def test_inputs_come_before_those_who_need_them() -> None:
    a: V = Vertex(Fake("a"))
    b: V = Vertex(Fake("b"), [a])
    c: V = Vertex(Fake("c"), [b, a])
    assert [vertex.operation.name for vertex in reachable([c, a])] == ["a", "b", "c"]


def test_deep_graph_does_not_recurse() -> None:
    vertex: V = Vertex(Fake("0"))
    for number in range(3000):
        vertex = Vertex(Fake(str(number), key=None), [vertex])
    assert sum(1 for _ in reachable([vertex])) == 3001


def test_act_registered_after_cancellation_is_called_at_once() -> None:
    cancellation, called = Cancellation(), []
    cancellation.cancel()
    with cancellation.on_cancel(lambda: called.append(1)):
        assert called == [1]
    with pytest.raises(Cancelled):
        cancellation.check()


def test_an_act_is_not_called_when_its_step_has_left() -> None:
    cancellation, begun, go_on = Cancellation(), threading.Event(), threading.Event()
    order: list[str] = []

    def slow_act() -> None:
        begun.set()
        assert go_on.wait(30)

    def leave(step: ExitStack) -> None:
        step.close()
        order.append("left")

    step = ExitStack()
    with cancellation.on_cancel(slow_act), ThreadPoolExecutor(2) as threads:
        step.enter_context(cancellation.on_cancel(lambda: order.append("act")))
        threads.submit(cancellation.cancel)
        assert begun.wait(30)
        leaving = threads.submit(leave, step)
        wait_for([leaving], 0.2)
        go_on.set()
    assert order == ["act", "left"]


def test_an_act_that_fails_keeps_no_other_from_being_called() -> None:
    cancellation, called = Cancellation(), []
    with cancellation.on_cancel(lambda: os.close(-1)), cancellation.on_cancel(lambda: called.append(1)):
        with pytest.raises(OSError, match="Bad file descriptor"):
            cancellation.cancel()
        assert called == [1]
