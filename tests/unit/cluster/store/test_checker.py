"""The checker of histories finds what is wrong with one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.crash.cluster.checker import Act, Seen, Stretch, check

from jubako.cluster.store import Event, Item

A1, A2, B1 = Item("/a", b"1", 2), Item("/a", b"2", 3), Item("/b", b"3", 4)
ADD_A, SET_A, ADD_B = Event(2, "/a", A1, None), Event(3, "/a", A2, A1), Event(4, "/b", B1, None)
DROP_A = Event(5, "/a", None, A2)


def history() -> Seen:
    """Two writes of one key, one of another, a deletion; two watches; one after the other."""
    return Seen(
        acts=[
            Act("create", "/a", b"1", 0, 1, 2, "ok", ADD_A, revision=2),
            Act("update", "/a", b"2", 2, 3, 4, "ok", SET_A, revision=3),
            Act("create", "/b", b"3", 0, 5, 6, "ok", ADD_B, revision=4),
            Act("update", "/a", b"4", 2, 7, 8, "StaleRevision", item=A2),
            Act("delete", "/a", b"", 3, 9, 10, "ok", DROP_A, revision=5),
            Act("get", "/b", b"", 0, 11, 12, "ok", item=B1, revision=5),
        ],
        stretches=[
            Stretch("/", 1, [], 5, [ADD_A, SET_A, ADD_B, DROP_A]),
            Stretch("/a", 2, [A1], 4, [SET_A]),
        ],
        final=[B1],
        ephemeral="/leases/",
    )


def test_a_history_that_is_right_is_right() -> None:
    assert check(history()) == []


def test_what_is_unknown_may_have_happened_or_not() -> None:
    seen = history()
    seen.acts[4] = replace(seen.acts[4], outcome="unknown", event=None, revision=0)
    seen.stretches.pop(0)
    assert check(seen) == []
    seen.final = [A2, B1]
    assert check(seen) == []


def test_a_write_whose_answer_was_lost_is_read_though_no_watch_was_told() -> None:
    seen = history()
    later = Item("/b", b"5", 6)
    seen.acts.append(Act("update", "/b", b"5", 4, 13))
    seen.acts.append(Act("get", "/b", b"", 0, 14, 15, "ok", item=later, revision=20))
    seen.final = [later]
    assert check(seen) == []
    seen.acts[-2].value = b"6"
    assert check(seen)


@pytest.mark.parametrize("index", range(4))
def test_an_event_that_a_watch_was_not_told(index: int) -> None:
    seen = history()
    del seen.stretches[0].events[index]
    assert check(seen)


def test_an_event_that_only_one_watch_was_told() -> None:
    seen = history()
    seen.acts = [act for act in seen.acts if act.event is not SET_A]
    seen.acts.append(Act("update", "/a", b"2", 2, 3))
    assert check(seen) == []
    seen.stretches[1].events.clear()
    assert check(seen)


def test_events_that_are_not_in_order_or_twice() -> None:
    for order in ([1, 0, 2, 3], [0, 1, 1, 2, 3]):
        seen = history()
        events = seen.stretches[0].events
        seen.stretches[0].events = [events[index] for index in order]
        assert check(seen)


def test_a_watch_that_says_it_is_further_than_it_is() -> None:
    seen = history()
    seen.stretches[1].end = 5
    assert check(seen)


def test_an_acknowledged_write_that_is_lost() -> None:
    seen = history()
    seen.final = []
    assert check(seen)


def test_an_acknowledged_write_that_the_next_one_did_not_see() -> None:
    seen = history()
    stale = Event(5, "/a", None, A1)
    seen.acts[4] = replace(seen.acts[4], expected=2, event=stale)
    seen.stretches[0].events[3] = stale
    assert check(seen)


def test_a_refused_write_that_happened() -> None:
    seen = history()
    seen.acts[1].outcome = "StaleRevision"
    seen.acts[1].event = None
    seen.acts[1].revision = 0
    assert check(seen)


def test_a_write_over_another_revision_than_was_asked() -> None:
    seen = history()
    seen.acts[1].expected = 1
    assert check(seen)


def test_a_value_that_nobody_wrote() -> None:
    seen = history()
    seen.acts.pop(2)
    assert check(seen)


def test_a_revision_that_goes_back() -> None:
    seen = history()
    seen.acts[5].revision = 4
    assert check(seen)


def test_a_revision_that_is_used_twice() -> None:
    seen = history()
    again = Event(3, "/b", Item("/b", b"3", 3), None)
    seen.acts[2] = replace(seen.acts[2], event=again, revision=3)
    assert check(seen)


def test_a_read_of_what_is_over() -> None:
    seen = history()
    seen.acts.append(Act("get", "/a", b"", 0, 13, 14, "ok", item=A2, revision=5))
    assert check(seen)


def test_a_read_that_misses_what_was_written() -> None:
    seen = history()
    seen.acts[5].item = None
    assert check(seen)


def test_a_list_that_is_not_the_state_at_its_revision() -> None:
    for items in ([], [A2], [A1, B1]):
        seen = history()
        seen.stretches[1].items = items
        assert check(seen)
