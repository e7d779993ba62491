from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from jubako.errors import AlreadyExists, DataLoss, FailedPrecondition, InvalidArgument, NotFound
from jubako.store import Collection, Records, Store


class Box(msgspec.Struct):
    lid: str
    trays: int = 0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as store:
        yield store


@pytest.fixture
def boxes(store: Store) -> Collection[Box]:
    return store.records.collection("box", Box)


def test_documents_come_back_as_they_were(boxes: Collection[Box]) -> None:
    boxes.insert("a", Box("red", 3))
    assert boxes.get("a") == boxes.find("a") == Box("red", 3)


def test_what_is_absent_is_not_found(boxes: Collection[Box]) -> None:
    assert boxes.find("a") is None
    assert not boxes.delete("a")
    with pytest.raises(NotFound, match="No such box: a"):
        boxes.get("a")
    with pytest.raises(NotFound):
        boxes.replace("a", Box("red"))


def test_a_key_is_taken_once(boxes: Collection[Box]) -> None:
    boxes.insert("a", Box("red"))
    with pytest.raises(AlreadyExists) as caught:
        boxes.insert("a", Box("blue"))
    assert (caught.value.name, caught.value.holder) == ("a", "a")
    assert boxes.get("a") == Box("red")


def test_a_unique_string_is_taken_once_and_names_its_holder(boxes: Collection[Box]) -> None:
    boxes.insert("a", Box("red"), unique=["lunch"])
    with pytest.raises(AlreadyExists) as caught:
        boxes.insert("b", Box("blue"), unique={"name": "lunch"})
    assert (caught.value.what, caught.value.name, caught.value.holder) == ("box", "lunch", "a")
    assert boxes.keys() == ["a"]


def test_unique_strings_find_their_document(boxes: Collection[Box]) -> None:
    boxes.insert("a", Box("red"), unique=["lunch", "dinner"])
    assert boxes.by_unique("dinner") == ("a", Box("red"))
    assert boxes.by_unique("tea") is None


def test_unique_strings_list_what_begins_with_them(boxes: Collection[Box]) -> None:
    boxes.insert("a", Box("red"), unique=["kitchen/2"])
    boxes.insert("b", Box("blue"), unique=["b", "kitchen/1"])
    boxes.insert("c", Box("green"), unique=["kitchenette/1"])
    assert boxes.holding("kitchen/") == [("b", Box("blue")), ("a", Box("red"))]
    boxes.delete("b")
    assert boxes.holding("kitchen/") == [("a", Box("red"))]


def test_collections_do_not_see_each_other(store: Store, boxes: Collection[Box]) -> None:
    others = store.records.collection("crate", Box)
    boxes.insert("a", Box("red"), unique=["lunch"])
    others.insert("a", Box("blue"), unique=["lunch"])
    assert others.get("a") == Box("blue")
    assert boxes.by_unique("lunch") == ("a", Box("red"))


def test_replace_keeps_unique_strings_unless_told(boxes: Collection[Box]) -> None:
    boxes.insert("a", Box("red"), unique=["lunch"])
    boxes.replace("a", Box("blue"))
    assert boxes.by_unique("lunch") == ("a", Box("blue"))
    boxes.replace("a", Box("blue"), unique=["dinner"])
    assert boxes.by_unique("lunch") is None
    assert boxes.by_unique("dinner") == ("a", Box("blue"))
    boxes.replace("a", Box("blue"), unique=[])
    assert boxes.by_unique("dinner") is None


def test_a_refused_replace_changes_nothing(boxes: Collection[Box]) -> None:
    boxes.insert("a", Box("red"), unique=["lunch"])
    boxes.insert("b", Box("blue"), unique=["dinner"])
    with pytest.raises(AlreadyExists):
        boxes.replace("b", Box("green"), unique=["lunch"])
    assert boxes.by_unique("dinner") == ("b", Box("blue"))


def test_delete_frees_key_and_unique_strings(boxes: Collection[Box]) -> None:
    boxes.insert("a", Box("red"), unique=["lunch"])
    assert boxes.delete("a")
    boxes.insert("b", Box("blue"), unique=["lunch"])
    assert boxes.items() == [("b", Box("blue"))]


def test_listing_is_ordered_and_takes_prefixes_literally(boxes: Collection[Box]) -> None:
    for key in ("b1", "a%", "a_", "a", "ab", "é", "a\U0001f371"):
        boxes.insert(key, Box(key))
    assert boxes.keys("a") == ["a", "a%", "a_", "ab", "a\U0001f371"]
    assert boxes.keys("a%") == ["a%"]
    assert [key for key, _ in boxes.items()] == sorted(boxes.keys())


def test_a_failed_transaction_leaves_nothing(store: Store, boxes: Collection[Box]) -> None:
    with contextlib.suppress(ZeroDivisionError), store.records.transaction():
        boxes.insert("a", Box("red"))
        raise ZeroDivisionError
    assert boxes.keys() == []


def test_a_failed_part_leaves_the_rest_of_the_transaction(store: Store, boxes: Collection[Box]) -> None:
    boxes.insert("a", Box("red"), unique=["lunch"])
    with store.records.transaction():
        with pytest.raises(AlreadyExists):
            boxes.insert("b", Box("blue"), unique=["tea", "lunch"])
        boxes.insert("b", Box("green"), unique=["tea"])
    assert boxes.by_unique("tea") == ("b", Box("green"))


def test_threads_share_one_store(store: Store, boxes: Collection[Box]) -> None:
    def add(thread: int) -> None:
        for number in range(25):
            with store.records.transaction():
                boxes.insert(f"{thread}-{number}", Box("red"))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(boxes.keys()) == 200


def test_threads_with_stores_of_their_own_wait_for_each_other(store: Store, boxes: Collection[Box]) -> None:
    """While one thread writes, another waits without asking SQLite, which would have it sleep."""
    writing, done = threading.Event(), threading.Event()

    def write() -> None:
        with Store.open(store.root) as own:
            writing.wait()
            own.records.collection("box", Box).insert("b", Box("blue"))
            done.set()

    thread = threading.Thread(target=write)
    thread.start()
    with store.records.transaction():
        writing.set()
        boxes.insert("a", Box("red"))
        assert not done.wait(0.05)
    thread.join()
    assert boxes.keys() == ["a", "b"]


def test_a_forked_child_gets_a_connection_of_its_own(boxes: Collection[Box]) -> None:
    boxes.insert("parent", Box("red"))
    pid = os.fork()
    if pid == 0:
        try:
            boxes.insert("child", Box("blue"))
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    boxes.insert("after", Box("green"))
    assert boxes.keys() == ["after", "child", "parent"]


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store") as store:
        store.records.collection("box", Box).insert("a", Box("red"))
    connection = sqlite3.connect(tmp_path / "store" / "jubako.db")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with Store.open(tmp_path / "store") as store, pytest.raises(FailedPrecondition, match="newer Jubako"):
        store.records.collection("box", Box).keys()


def test_a_file_that_is_no_database_is_data_loss(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store") as store:
        (store.root / "jubako.db").write_bytes(b"lunch" * 1000)
        with pytest.raises(DataLoss, match=r"jubako\.db"):
            store.records.collection("box", Box).keys()


def test_a_damaged_record_names_itself(store: Store, boxes: Collection[Box]) -> None:
    store.records.collection("box", dict[str, int]).insert("a", {"trays": 1})
    with pytest.raises(DataLoss, match="box a"):
        boxes.get("a")


def test_a_log_that_was_left_is_gone_on_with(tmp_path: Path) -> None:
    log = tmp_path / "store" / "jubako.db-wal"
    for key in "ab":
        _in_a_process_that_ends(lambda key=key: _insert_and_leave(tmp_path, key))
        assert log.exists()
    with Store.open(tmp_path / "store") as store:
        assert store.records.collection("box", Box).keys() == ["a", "b"]
    assert not log.exists()


def test_the_log_of_short_processes_stays_short(tmp_path: Path) -> None:
    for number in range(60):
        _in_a_process_that_ends(lambda number=number: _insert_and_leave(tmp_path, str(number)))
    assert (tmp_path / "store" / "jubako.db-wal").stat().st_size < 256 * 4096


def test_leaving_syncs_what_was_written_to_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fdatasync", lambda fd: synced.append(os.readlink(f"/proc/self/fd/{fd}")))
    for key, lasting in (("a", True), ("b", False), ("", True)):
        store = Store.open(tmp_path / "store")
        boxes = store.records.collection("box", Box, lasting=lasting)
        if key:
            boxes.insert(key, Box("red"))
        assert "a" in boxes.keys()
        store.leave()
    assert synced == [str(tmp_path / "store" / "jubako.db-wal")]


def test_closing_syncs_a_log_that_others_keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(tmp_path / "store") as other:
        other.records.collection("box", Box).keys()
        synced: list[int] = []
        monkeypatch.setattr(os, "fdatasync", synced.append)
        with Store.open(tmp_path / "store") as store:
            store.records.collection("box", Box).insert("a", Box("red"))
    assert len(synced) == 1


def _in_a_process_that_ends(work: Callable[[], None]) -> None:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0


def _insert_and_leave(root: Path, key: str) -> None:
    store = Store.open(root / "store")
    store.records.collection("box", Box).insert(key, Box("red"))
    store.leave()


def test_records_need_only_a_directory(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.collection("box", Box).insert("a", Box("red"))
    records.close()
    assert (tmp_path / "jubako.db").exists()


@pytest.mark.parametrize(
    ("box", "words"), [(Box(7), "Expected `str`, got `int`"), (Box("a\udcff"), r"'a\\xff' is not valid UTF-8")]
)
def test_what_could_not_be_read_again_is_not_written(boxes: Collection[Box], box: Box, words: str) -> None:
    boxes.insert("a", Box("red"))
    with pytest.raises(InvalidArgument, match=words):
        boxes.insert("b", box)
    with pytest.raises(InvalidArgument, match=words):
        boxes.replace("a", box)
    assert boxes.items() == [("a", Box("red"))]
