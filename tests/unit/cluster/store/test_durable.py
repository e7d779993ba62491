"""What the durable store keeps, across its ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.unit.cluster.store.acts import TIMEOUT_S, Log, create, delete, do, keys, update
from tests.unit.cluster.store.conftest import VirtualClock

from jubako.cluster.store import Create, Delete, DurableStore, Gone, Item, Options, Retention, Stopped, Update
from jubako.errors import Conflict, DataLoss, FailedPrecondition, ResourceExhausted

LEASES = Options(ephemeral={"/leases/": None})


def test_items_and_history_are_there_again(tmp_path: Path) -> None:
    store = DurableStore(tmp_path)
    create(store, "/a", b"1")
    update(store, "/a", b"2")
    create(store, "/b", b"\0\xff")
    delete(store, "/b")
    create(store, "/b", b"3")
    told = Log(store, "/", 1).take()
    at_four = store.list("/", revision=4)
    store.close()

    again = DurableStore(tmp_path)
    assert again.list("/").items == [Item("/a", b"2", 3), Item("/b", b"3", 6)]
    assert Log(again, "/", 1).take() == told
    assert again.list("/", revision=4) == at_four
    again.close()


def test_a_watch_goes_on_after_a_restart_where_it_was(tmp_path: Path) -> None:
    store = DurableStore(tmp_path)
    create(store, "/a")
    seen = store.revision
    create(store, "/b")
    store.close()
    again = DurableStore(tmp_path)
    watch = Log(again, "/", seen)
    create(again, "/c")
    assert [key for _, key, _ in watch.told()] == ["/b", "/c"]
    again.close()


def test_what_is_ephemeral_is_gone_but_its_revisions_never_come_again(tmp_path: Path) -> None:
    greatest = 0
    for _ in range(3):
        store = DurableStore(tmp_path, LEASES)
        assert store.revision >= greatest
        assert keys(store.list("/leases/")) == []
        revision = create(store, "/leases/a").revision
        for _ in range(20):
            revision = update(store, "/leases/a").revision
            assert revision > greatest
        greatest = revision
        store.close()


def test_revisions_of_the_ephemeral_outgrow_what_was_reserved_and_still_never_come_again(tmp_path: Path) -> None:
    store = DurableStore(tmp_path, LEASES)
    futures = [store.submit([Create(f"/leases/{number}", b"")]) for number in range(25_000)]
    last = futures[-1].result(TIMEOUT_S)[0].revision
    store.close()
    again = DurableStore(tmp_path, LEASES)
    assert create(again, "/a").revision > last
    again.close()


def test_a_watch_that_could_miss_something_ephemeral_must_list_again(tmp_path: Path) -> None:
    store = DurableStore(tmp_path, LEASES)
    create(store, "/pods/a")
    create(store, "/leases/a")
    before = store.revision
    store.close()
    again = DurableStore(tmp_path, LEASES)
    for prefix in ("/", "/leases/", "/leases/node/"):
        with pytest.raises(Gone):
            Log(again, prefix, before)
        Log(again, prefix, again.list(prefix).revision)
    assert Log(again, "/pods/", before).told() == []
    again.close()


def test_writing_only_what_is_ephemeral_touches_no_disk(tmp_path: Path) -> None:
    store = DurableStore(tmp_path, LEASES)
    create(store, "/leases/a")  # reserves revisions
    log = tmp_path / "store.db-wal"
    before = log.stat().st_size, log.stat().st_mtime_ns
    for _ in range(50):
        update(store, "/leases/a")
    assert (log.stat().st_size, log.stat().st_mtime_ns) == before
    store.close()


def test_what_was_compacted_stays_so(tmp_path: Path) -> None:
    store = DurableStore(tmp_path)
    for name in "abc":
        create(store, f"/{name}")
    store.compact(3).result(TIMEOUT_S)
    store.close()
    again = DurableStore(tmp_path)
    with pytest.raises(Gone):
        Log(again, "/", 2)
    assert Log(again, "/", 3).told() == [("ADDED", "/c", 4)]
    again.close()


def test_compaction_empties_the_log_bit_by_bit_between_writes(tmp_path: Path) -> None:
    store = DurableStore(tmp_path)
    for future in [store.submit([Create(f"/{number}", b"x" * 100)]) for number in range(5000)]:
        future.result(TIMEOUT_S)
    done = store.compact(store.revision)
    written = store.submit([Create("/meanwhile", b"")])
    written.result(TIMEOUT_S)
    assert not done.done()
    done.result(TIMEOUT_S)
    store.close()
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as database:
        assert database.execute("SELECT key FROM log").fetchall() == [("/meanwhile",)]
        assert database.execute("SELECT count(*) FROM current").fetchone() == (5001,)


def test_an_idle_store_forgets_what_is_old(tmp_path: Path) -> None:
    store = DurableStore(tmp_path, Options(keep=Retention(age_s=-11)))  # over before it has begun
    create(store, "/a")
    assert _eventually(lambda: _is_gone(store, 1))
    store.close()


def _eventually(holds: Callable[[], bool]) -> bool:
    import time

    until = time.monotonic() + TIMEOUT_S
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.001)
    return True


def _is_gone(store: DurableStore, revision: int) -> bool:
    try:
        store.list("/", revision=revision)
    except Gone:
        return True
    return False


def test_a_second_owner_is_refused(tmp_path: Path) -> None:
    store = DurableStore(tmp_path)
    with pytest.raises(Conflict, match="another process"):
        DurableStore(tmp_path)
    store.close()
    DurableStore(tmp_path).close()


def test_a_store_that_could_not_be_opened_holds_no_lock(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"no database at all, but long enough to be looked at" * 100)
    for _ in range(2):
        with pytest.raises(DataLoss, match=r"store\.db"):
            DurableStore(tmp_path)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    DurableStore(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as database:
        database.execute("PRAGMA user_version=99")
    with pytest.raises(FailedPrecondition, match="newer"):
        DurableStore(tmp_path)


def test_a_log_that_contradicts_the_items_is_data_loss(tmp_path: Path) -> None:
    store = DurableStore(tmp_path)
    create(store, "/a")
    store.close()
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as database:
        database.execute("UPDATE current SET revision = 7")
    with pytest.raises(DataLoss, match="/a"):
        DurableStore(tmp_path)


def test_closing_finishes_what_was_submitted(tmp_path: Path) -> None:
    store = DurableStore(tmp_path)
    futures = [store.submit([Create(f"/{number}", b"")]) for number in range(2000)]
    store.close()
    store.close()
    assert [future.result(0)[0].revision for future in futures] == [*range(2, 2002)]
    with pytest.raises(Stopped):
        store.submit([Create("/late", b"")]).result(TIMEOUT_S)


class TestFailure:
    """A database that refuses a commit, as SQLite does: by a trigger, or because it may not grow."""

    def test_without_space_nothing_of_the_batch_happens_and_later_it_goes_on(
        self, tmp_path: Path, clock: VirtualClock
    ) -> None:
        store = DurableStore(tmp_path, clock=clock)
        create(store, "/a", b"1")
        watch = Log(store, "/", 2)
        database = store._database._connection
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count={pages}")
        with pytest.raises(ResourceExhausted):
            do(store, Update("/a", bytes(1 << 20), 2))
        assert store.get("/a").value == b"1"
        assert watch.take() == []
        assert do(store, Delete("/a", 2))[0].revision > 3  # the one that failed has used up its revision
        database.execute("PRAGMA max_page_count=100000")
        create(store, "/a", bytes(1 << 20))
        store.close()
        again = DurableStore(tmp_path)
        assert len(again.get("/a").value) == 1 << 20
        again.close()

    def test_after_any_other_failure_it_writes_no_more(self, tmp_path: Path) -> None:
        store = DurableStore(tmp_path)
        create(store, "/a")
        watch = Log(store, "/", 2)
        store._database._connection.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON log BEGIN SELECT RAISE(ABORT, 'no more'); END"
        )
        with pytest.raises(sqlite3.Error):
            update(store, "/a")
        with pytest.raises(Stopped, match="no more"):
            create(store, "/b")
        with pytest.raises(Stopped):
            watch.take()
        assert keys(store.list("/")) == ["/a"]
        store.close()
