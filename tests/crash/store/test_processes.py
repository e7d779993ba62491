"""Many processes at once on one state directory."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

from jubako.errors import AlreadyExists
from jubako.snapshot import Overlay
from jubako.spec.oci_image import DiffID
from jubako.store import Store, digest

_fork = multiprocessing.get_context("fork")


def _together(count: int, work: Callable[[int], None]) -> None:
    """Run `work` in `count` processes that begin at the same moment; all must end well."""
    barrier = _fork.Barrier(count)

    def run(number: int) -> None:
        barrier.wait()
        work(number)

    processes = [_fork.Process(target=run, args=(number,)) for number in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * count


def test_64_processes_make_the_store_and_insert_records(tmp_path: Path) -> None:
    def insert(number: int) -> None:
        with Store.open(tmp_path / "store") as store:
            numbers = store.records.collection("number", int)
            for turn in range(5):
                numbers.insert(f"{number}-{turn}", number, unique=[f"name-{number}-{turn}"])

    _together(64, insert)

    with Store.open(tmp_path / "store") as store:
        assert len(store.records.collection("number", int).keys()) == 320


def test_of_16_processes_one_gets_the_name(tmp_path: Path) -> None:
    Store.open(tmp_path / "store")

    def claim(number: int) -> None:
        with Store.open(tmp_path / "store") as store:
            numbers = store.records.collection("number", int)
            try:
                numbers.insert(str(number), number, unique=["the-name"])
            except AlreadyExists as error:
                holder = error.holder
            else:
                holder = str(number)
            assert numbers.by_unique("the-name") == (holder, int(holder or -1))

    _together(16, claim)

    with Store.open(tmp_path / "store") as store:
        assert len(store.records.collection("number", int).keys()) == 1


def test_read_modify_write_in_a_transaction_loses_no_update(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store") as store:
        store.records.collection("number", int).insert("count", 0)

    def add(number: int) -> None:
        with Store.open(tmp_path / "store") as store:
            numbers = store.records.collection("number", int)
            for _ in range(10):
                with store.records.transaction():
                    numbers.replace("count", numbers.get("count") + 1)

    _together(16, add)

    with Store.open(tmp_path / "store") as store:
        assert store.records.collection("number", int).get("count") == 160


def test_processes_that_write_the_same_blob_all_succeed(tmp_path: Path) -> None:
    data = os.urandom(1 << 20)
    Store.open(tmp_path / "store")

    def write(number: int) -> None:
        with Store.open(tmp_path / "store").blobs.writer(expected=digest.of(data)) as writer:
            for start in range(0, len(data), 64 << 10):
                writer.write(data[start : start + (64 << 10)])
            writer.commit()

    _together(12, write)

    store = Store.open(tmp_path / "store")
    assert store.blobs.read(digest.of(data)) == data
    assert list(store.blobs) == [digest.of(data)]
    assert os.listdir(store.ingest.path) == []


def test_two_drafts_of_the_same_layer_leave_one(tmp_path: Path) -> None:
    diff_id = DiffID(digest.of(b"layer"))
    Store.open(tmp_path / "store")

    def unpack(number: int) -> None:
        with Overlay(Store.open(tmp_path / "store")).new_layer() as draft:
            for name in range(100):
                (draft.path / str(name)).write_text("same")
            draft.commit(diff_id)

    _together(8, unpack)

    store = Store.open(tmp_path / "store")
    assert len(os.listdir(Overlay(store).layer_path(diff_id))) == 100
    assert os.listdir(store.ingest.path) == []
