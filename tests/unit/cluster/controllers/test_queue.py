from __future__ import annotations

from tests.unit.cluster.simulation import VirtualClock

from jubako.cluster.controllers.queue import FIRST_DELAY_S, LONGEST_DELAY_S, WorkQueue


def drain(queue: WorkQueue[str]) -> list[str]:
    found = []
    while (key := queue.take()) is not None:
        found.append(key)
        queue.done(key)
    return found


def test_a_key_added_twice_is_looked_at_once() -> None:
    queue: WorkQueue[str] = WorkQueue(VirtualClock())
    for key in ("a", "b", "a"):
        queue.add(key)
    assert drain(queue) == ["a", "b"]


def test_a_key_added_while_in_work_is_looked_at_again_afterwards() -> None:
    queue: WorkQueue[str] = WorkQueue(VirtualClock())
    queue.add("a")
    assert queue.take() == "a"
    queue.add("a")
    assert queue.take() is None
    queue.done("a")
    assert drain(queue) == ["a"]


def test_a_wait_ends_when_its_time_has_come_and_the_shorter_of_two_counts() -> None:
    clock = VirtualClock(0.0)
    queue: WorkQueue[str] = WorkQueue(clock)
    queue.add_after("a", 10)
    queue.add_after("a", 5)
    queue.add_after("a", 20)
    clock.time = 4.9
    assert drain(queue) == []
    assert queue.next_due() == 5
    clock.time = 5
    assert drain(queue) == ["a"]
    clock.time = 100
    assert drain(queue) == []


def test_failures_wait_twice_as_long_each_time_up_to_the_longest_until_one_success() -> None:
    clock = VirtualClock(0.0)
    queue: WorkQueue[str] = WorkQueue(clock)
    waits = []
    for _ in range(20):
        queue.retry("a")
        due = queue.next_due()
        assert due is not None
        waits.append(due - clock.time)
        clock.time = due
        assert drain(queue) == ["a"]
    assert [round(wait / FIRST_DELAY_S) for wait in waits[:4]] == [1, 2, 4, 8]
    assert waits[-1] == LONGEST_DELAY_S
    queue.forget("a")
    queue.retry("a")
    assert abs((queue.next_due() or 0) - clock.time - FIRST_DELAY_S) < 1e-9
