"""What every object store does: the one suite that the memory store and the durable one pass."""

from __future__ import annotations

import threading
from concurrent.futures import wait

import pytest
from tests.unit.cluster.store.acts import TIMEOUT_S, Log, create, delete, do, keys, update
from tests.unit.cluster.store.conftest import Open, VirtualClock

from jubako.cluster.store import (
    Create,
    Delete,
    EventKind,
    FutureRevision,
    Gone,
    Item,
    ObjectStore,
    Options,
    Retention,
    StaleRevision,
    Stopped,
    Update,
)
from jubako.errors import AlreadyExists, InvalidArgument, NotFound


def test_nothing_has_been_written_at_revision_one(store: ObjectStore) -> None:
    page = store.list("/")
    assert (page.items, page.revision, page.remaining) == ([], 1, 0)


def test_what_was_created_is_there_with_the_revision_of_its_write(store: ObjectStore) -> None:
    event = create(store, "/a", b"\0\xff")
    assert store.get("/a") == Item("/a", b"\0\xff", 2) == event.current
    assert (event.kind, event.revision, event.previous) == (EventKind.ADDED, 2, None)
    assert store.revision == 2


def test_create_over_a_key_that_exists_is_refused_and_takes_no_revision(store: ObjectStore) -> None:
    create(store, "/a")
    with pytest.raises(AlreadyExists):
        create(store, "/a")
    assert store.revision == 2


def test_update_needs_the_revision_that_is_there_and_tells_which_it_is(store: ObjectStore) -> None:
    first = create(store, "/a", b"1")
    second = do(store, Update("/a", b"2", first.revision))[0]
    assert (second.kind, second.previous) == (EventKind.MODIFIED, first.current)
    with pytest.raises(StaleRevision) as refused:
        do(store, Update("/a", b"3", first.revision))
    assert refused.value.current == second.current == store.get("/a")


def test_delete_needs_the_revision_that_is_there_and_has_one_of_its_own(store: ObjectStore) -> None:
    first = create(store, "/a", b"1")
    with pytest.raises(StaleRevision):
        do(store, Delete("/a", first.revision + 1))
    gone = do(store, Delete("/a", first.revision))[0]
    assert (gone.kind, gone.revision, gone.previous, gone.current) == (EventKind.DELETED, 3, first.current, None)
    with pytest.raises(NotFound):
        store.get("/a")


def test_what_is_not_there_can_be_neither_updated_nor_deleted(store: ObjectStore) -> None:
    for write in (Update("/a", b"", 1), Delete("/a", 1)):
        with pytest.raises(NotFound):
            do(store, write)


def test_a_transaction_gives_each_write_a_revision_and_sees_its_own_writes(store: ObjectStore) -> None:
    events = do(store, Create("/a", b"1"), Update("/a", b"2", 2), Create("/b", b"3"), Delete("/a", 3))
    assert [event.revision for event in events] == [2, 3, 4, 5]
    assert keys(store.list("/")) == ["/b"]


def test_a_transaction_that_fails_leaves_nothing(store: ObjectStore) -> None:
    create(store, "/b", b"old")
    with pytest.raises(AlreadyExists):
        do(store, Create("/a", b""), Update("/b", b"new", 2), Create("/b", b""))
    assert store.list("/").items == [Item("/b", b"old", 2)]
    assert create(store, "/a").revision == 3


def test_a_transaction_of_nothing_does_nothing(store: ObjectStore) -> None:
    assert list(do(store)) == []
    assert store.revision == 1


@pytest.mark.parametrize("key", ["", "/a\0b", "/\udcff", "/" + "x" * 5000])
def test_a_key_that_nothing_can_hold_is_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(InvalidArgument):
        store.submit([Create(key, b"")])


def test_a_value_that_is_too_large_is_refused(store: ObjectStore) -> None:
    with pytest.raises(InvalidArgument, match="/big"):
        store.submit([Create("/big", bytes((16 << 20) + 1))])


class TestList:
    def test_lists_what_has_the_prefix_in_order_of_keys(self, store: ObjectStore) -> None:
        for key in ("/p/b", "/p/a", "/pa", "/q/a", "/p/", "/p/\U0010ffff", "/o"):
            create(store, key)
        assert keys(store.list("/p/")) == ["/p/", "/p/a", "/p/b", "/p/\U0010ffff"]
        assert len(store.list("").items) == 7

    def test_pages_go_on_after_a_key_and_say_how_much_remains(self, store: ObjectStore) -> None:
        for name in "abcde":
            create(store, f"/p/{name}")
        first = store.list("/p/", limit=2)
        assert (keys(first), first.remaining) == (["/p/a", "/p/b"], 3)
        last = store.list("/p/", limit=3, after="/p/b")
        assert (keys(last), last.remaining) == (["/p/c", "/p/d", "/p/e"], 0)
        assert keys(store.list("/p/", after="/a")) == [f"/p/{name}" for name in "abcde"]

    def test_pages_at_one_revision_do_not_see_what_came_later(self, store: ObjectStore) -> None:
        for name in "abcd":
            create(store, f"/p/{name}", b"old")
        first = store.list("/p/", limit=1)
        delete(store, "/p/b")
        update(store, "/p/c", b"new")
        update(store, "/p/c", b"newer")
        create(store, "/p/bb")
        delete(store, "/p/a")
        rest = store.list("/p/", after="/p/a", revision=first.revision, limit=2)
        assert rest.items == [Item("/p/b", b"old", 3), Item("/p/c", b"old", 4)]
        assert (rest.revision, rest.remaining) == (first.revision, 1)
        assert keys(store.list("/p/")) == ["/p/bb", "/p/c", "/p/d"]

    def test_a_revision_that_has_not_been_is_refused(self, store: ObjectStore) -> None:
        with pytest.raises(FutureRevision) as refused:
            store.list("/", revision=2)
        assert (refused.value.revision, refused.value.current) == (2, 1)


class TestWatch:
    def test_tells_every_change_under_the_prefix_in_order(self, store: ObjectStore) -> None:
        watch = Log(store, "/p/", 1)
        create(store, "/p/a", b"1")
        create(store, "/q/a")
        update(store, "/p/a", b"2")
        delete(store, "/p/a")
        events = watch.take()
        assert [(event.kind.value, event.revision) for event in events] == [
            ("ADDED", 2),
            ("MODIFIED", 4),
            ("DELETED", 5),
        ]
        assert [event.previous and event.previous.value for event in events] == [None, b"1", b"2"]
        assert watch.take() == []

    def test_begins_after_a_revision_of_the_past(self, store: ObjectStore) -> None:
        for name in "abc":
            create(store, f"/{name}")
        assert Log(store, "/", 2).told() == [("ADDED", "/b", 3), ("ADDED", "/c", 4)]
        assert Log(store, "/", 4).told() == []

    def test_the_past_is_told_with_what_was_there_then(self, store: ObjectStore) -> None:
        create(store, "/a", b"1")
        update(store, "/a", b"2")
        delete(store, "/a")
        create(store, "/a", b"3")
        events = Log(store, "/", 1).take()
        assert [event.current and event.current.value for event in events] == [b"1", b"2", None, b"3"]
        assert [event.previous and event.previous.value for event in events] == [None, b"1", b"2", None]

    def test_wakes_once_until_it_was_read(self, store: ObjectStore) -> None:
        watch = Log(store, "/p/", 1)
        create(store, "/q/a")
        assert watch.wakes == 0
        create(store, "/p/a")
        create(store, "/p/b")
        assert watch.wakes == 1
        watch.take()
        create(store, "/p/c")
        assert watch.wakes == 2

    def test_reads_in_pieces_and_says_how_far_it_is(self, store: ObjectStore) -> None:
        watch = Log(store, "/p/", 1, limit=2)
        for key in ("/p/a", "/p/b", "/q", "/p/c", "/q2"):
            create(store, key)
        assert [key for _, key, _ in watch.told()] == ["/p/a", "/p/b"]
        assert watch.revision == 4  # /q is behind it, /p/c is not
        assert [key for _, key, _ in watch.told()] == ["/p/c"]
        assert watch.revision == 6 == store.revision

    def test_a_revision_that_has_not_been_is_refused(self, store: ObjectStore) -> None:
        with pytest.raises(FutureRevision):
            Log(store, "/", 2)

    def test_a_closed_watch_is_not_woken(self, store: ObjectStore) -> None:
        watch = Log(store, "/", 1)
        watch.subscription.close()
        watch.subscription.close()
        create(store, "/a")
        assert watch.wakes == 0

    def test_ends_when_the_store_is_closed(self, store: ObjectStore) -> None:
        watch = Log(store, "/", 1)
        store.close()
        assert watch.wakes == 1
        with pytest.raises(Stopped):
            watch.take()
        with pytest.raises(Stopped):
            Log(store, "/", 1)
        with pytest.raises(Stopped):
            create(store, "/a")


class TestCompaction:
    def test_what_was_forgotten_can_be_neither_watched_nor_listed(self, store: ObjectStore) -> None:
        for name in "abc":
            create(store, f"/{name}")
        store.compact(3).result(TIMEOUT_S)
        for ask in (lambda: Log(store, "/", 2), lambda: store.list("/", revision=2)):
            with pytest.raises(Gone) as gone:
                ask()
            assert (gone.value.revision, gone.value.oldest) == (2, 3)
        assert Log(store, "/", 3).told() == [("ADDED", "/c", 4)]
        assert keys(store.list("/", revision=3)) == ["/a", "/b"]
        assert keys(store.list("/")) == ["/a", "/b", "/c"]

    def test_a_watch_that_has_not_read_what_is_forgotten_ends(self, store: ObjectStore) -> None:
        slow, other = Log(store, "/a", 1), Log(store, "/b", 1)
        create(store, "/a")
        create(store, "/c")
        store.compact(3).result(TIMEOUT_S)
        with pytest.raises(Gone):
            slow.take()
        assert other.take() == []  # it has missed nothing
        create(store, "/b")
        assert other.told() == [("ADDED", "/b", 4)]

    def test_forgetting_again_or_less_changes_nothing(self, store: ObjectStore) -> None:
        create(store, "/a")
        create(store, "/b")
        for revision in (3, 2, 3, 0):
            store.compact(revision).result(TIMEOUT_S)
        with pytest.raises(Gone):
            Log(store, "/", 2)

    def test_the_future_can_not_be_forgotten(self, store: ObjectStore) -> None:
        with pytest.raises(FutureRevision):
            store.compact(2)

    def test_history_is_kept_for_its_time(self, open_store: Open, clock: VirtualClock) -> None:
        store = open_store(Options(keep=Retention(age_s=60)))
        create(store, "/a")
        clock.now += 30
        create(store, "/b")
        clock.now += 29
        create(store, "/c")
        assert len(Log(store, "/", 1).take()) == 3
        clock.now += 2
        create(store, "/d")
        with pytest.raises(Gone):
            Log(store, "/", 1)
        assert [key for _, key, _ in Log(store, "/", 2).told()] == ["/b", "/c", "/d"]

    def test_too_many_events_are_kept_only_for_the_time_of_grace(self, open_store: Open, clock: VirtualClock) -> None:
        store = open_store(Options(keep=Retention(events=5, grace_s=10)))
        for number in range(8):
            create(store, f"/{number}")
        assert len(Log(store, "/", 1).take()) == 8
        clock.now += 11
        create(store, "/8")
        assert [event.revision for event in Log(store, "/", 4).take()] == [5, 6, 7, 8, 9, 10]
        with pytest.raises(Gone):
            Log(store, "/", 3)

    def test_too_many_bytes_are_kept_only_for_the_time_of_grace(self, open_store: Open, clock: VirtualClock) -> None:
        store = open_store(Options(keep=Retention(bytes=3000, grace_s=10)))
        for number in range(8):
            create(store, f"/{number}", bytes(1000))
        clock.now += 11
        create(store, "/8")
        with pytest.raises(Gone):
            Log(store, "/", 1)
        assert 0 < len(Log(store, "/", 8).take()) <= 3

    def test_a_slow_watcher_ends_and_never_holds_up_a_writer(self, open_store: Open) -> None:
        store = open_store(Options(keep=Retention(events=10, grace_s=0)))
        slow, fast = Log(store, "/", 1), Log(store, "/", 1, limit=1)
        for number in range(50):
            create(store, f"/{number}")
            assert len(fast.take()) == 1
        with pytest.raises(Gone):
            slow.take()


class TestEphemeral:
    OPTIONS = Options(ephemeral={"/r/events/": 60.0, "/r/leases/": None})

    def test_has_revisions_of_the_same_counter_and_the_same_watch(self, open_store: Open) -> None:
        store = open_store(self.OPTIONS)
        watch = Log(store, "/r/", 1)
        create(store, "/r/pods/a")
        create(store, "/r/events/a")
        create(store, "/r/leases/a")
        update(store, "/r/leases/a")
        assert watch.told() == [
            ("ADDED", "/r/pods/a", 2),
            ("ADDED", "/r/events/a", 3),
            ("ADDED", "/r/leases/a", 4),
            ("MODIFIED", "/r/leases/a", 5),
        ]

    def test_ends_after_its_time_with_an_event(self, open_store: Open, clock: VirtualClock) -> None:
        store = open_store(self.OPTIONS)
        create(store, "/r/events/a")
        create(store, "/r/events/b")
        create(store, "/r/leases/a")
        watch = Log(store, "/r/events/", 4)
        clock.now += 59
        update(store, "/r/events/a")
        clock.now += 2
        create(store, "/r/pods/x")
        assert keys(store.list("/r/")) == ["/r/events/a", "/r/leases/a", "/r/pods/x"]
        assert watch.told() == [("MODIFIED", "/r/events/a", 5), ("DELETED", "/r/events/b", 6)]
        clock.now += 60
        create(store, "/r/pods/y")
        assert watch.told() == [("DELETED", "/r/events/a", 8)]

    def test_what_was_deleted_and_made_again_lives_its_whole_time(self, open_store: Open, clock: VirtualClock) -> None:
        store = open_store(self.OPTIONS)
        create(store, "/r/events/a")
        clock.now += 50
        delete(store, "/r/events/a")
        create(store, "/r/events/a", b"again")
        clock.now += 50
        create(store, "/r/pods/x")
        assert store.get("/r/events/a").value == b"again"


def test_of_many_writers_with_one_revision_one_wins(store: ObjectStore) -> None:
    create(store, "/a")
    begun = threading.Barrier(8)
    won: list[int] = []
    lost: list[int] = []

    def race(number: int) -> None:
        begun.wait()
        try:
            won.append(do(store, Update("/a", str(number).encode(), 2))[0].revision)
        except StaleRevision as error:
            lost.append(error.current.revision)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (won, lost) == ([3], [3] * 7)


def test_many_writes_at_once_have_revisions_without_gaps(store: ObjectStore) -> None:
    futures = [store.submit([Create(f"/{number:04}", b"x")]) for number in range(3000)]
    wait(futures, TIMEOUT_S)
    assert [future.result()[0].revision for future in futures] == [*range(2, 3002)]
    assert [event.revision for event in Log(store, "/", 1, limit=5000).take()] == [*range(2, 3002)]


def test_a_write_is_seen_before_it_is_acknowledged(store: ObjectStore) -> None:
    seen: list[int] = []
    future = store.submit([Create("/a", b"")])
    future.add_done_callback(lambda done: seen.append(store.get("/a").revision))
    future.result(TIMEOUT_S)
    create(store, "/b")
    assert seen == [2]
