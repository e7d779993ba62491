"""kill -9 at random points: the next open works, nothing is corrupt, and a sweep leaves nothing."""

from __future__ import annotations

import gzip
import io
import multiprocessing
import os
import random
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

from jubako.engine.drivers import Drivers
from jubako.snapshot import Overlay
from jubako.snapshot.compact import compact, restore
from jubako.snapshot.unpack import unpack_layer
from jubako.spec.oci_image import LAYER_GZIP, Descriptor, DiffID
from jubako.store import Store, digest, sweep
from jubako.volume import Volumes

_fork = multiprocessing.get_context("fork")
ROUNDS = 25


def _killed(work: Callable[[], None], round_: int, within_s: float = 0.03) -> None:
    """Run `work`, which never ends, and kill it within a few milliseconds of its start."""
    started = _fork.Event()

    def run() -> None:
        started.set()
        work()

    process = _fork.Process(target=run)
    process.start()
    started.wait()
    time.sleep(random.Random(round_).uniform(0, within_s))
    process.kill()
    process.join()


def _acknowledge(path: Path, text: str) -> None:
    with path.open("a") as stream:
        stream.write(text + "\n")


def _acknowledged(path: Path) -> list[str]:
    """Return what was said to be done; the last line may be cut."""
    return path.read_text().split("\n")[:-1] if path.exists() else []


def test_killed_while_committing_blobs(tmp_path: Path) -> None:
    done = tmp_path / "done"

    def commit() -> None:
        store = Store.open(tmp_path / "store")
        while True:
            with store.blobs.writer() as writer:
                for _ in range(4):
                    writer.write(os.urandom(32 << 10))
                info = writer.commit()
            _acknowledge(done, info.digest)

    for round_ in range(ROUNDS):
        _killed(commit, round_)

    store = Store.open(tmp_path / "store")
    for name in store.blobs:
        assert digest.of(store.blobs.read(name)) == name
    assert set(_acknowledged(done)) <= set(store.blobs)
    sweep(store, list)
    assert list(store.blobs) == []
    assert os.listdir(store.ingest.path) == []


def test_killed_while_writing_records(tmp_path: Path) -> None:
    done = tmp_path / "done"

    def insert() -> None:
        with Store.open(tmp_path / "store") as store:
            boxes = store.records.collection("box", str)
            while True:
                key = os.urandom(8).hex()
                with store.records.transaction():
                    boxes.insert(key, "x" * 5000, unique=[f"first-{key}"])
                    boxes.insert(f"{key}-twin", "y", unique=[f"second-{key}"])
                _acknowledge(done, key)

    for round_ in range(ROUNDS):
        _killed(insert, round_)

    with Store.open(tmp_path / "store") as store:
        boxes = store.records.collection("box", str)
        keys = set(boxes.keys())
        assert {*_acknowledged(done)} <= keys
        for key in keys:
            assert key.endswith("-twin") or f"{key}-twin" in keys
            assert boxes.by_unique(f"first-{key}") or key.endswith("-twin")
        boxes.insert("next", "works")


def test_killed_while_making_and_removing_layers(tmp_path: Path) -> None:
    def work() -> None:
        snapshots = Overlay(Store.open(tmp_path / "store"))
        while True:
            diff_id = DiffID(digest.of(os.urandom(8)))
            with snapshots.new_layer() as draft:
                for number in range(30):
                    (draft.path / str(number)).write_text("x")
                draft.commit(diff_id)
            key = os.urandom(4).hex()
            snapshots.prepare(key, [diff_id])
            (snapshots.upper(key) / "file").write_text("x")
            snapshots.remove(key)
            if random.random() < 0.3:
                snapshots.sweep(list)

    for round_ in range(ROUNDS):
        _killed(work, round_)

    store = Store.open(tmp_path / "store")
    snapshots = Overlay(store)
    for diff_id in snapshots.layers():
        assert len(os.listdir(snapshots.layer_path(diff_id))) == 30
    for key in list(snapshots.keys()):
        assert snapshots.remove(key)
    snapshots.sweep(list)
    sweep(store, list)
    assert snapshots.layers() == []
    assert os.listdir(store.ingest.path) == os.listdir(store.root / "snapshots") == []


def test_killed_while_holding_leases(tmp_path: Path) -> None:
    def work() -> None:
        store = Store.open(tmp_path / "store")
        while True:
            with store.leases.hold("test") as lease:
                lease.add("a", "b")
                store.leases.held()

    for round_ in range(ROUNDS):
        _killed(work, round_)

    store = Store.open(tmp_path / "store")
    assert store.leases.held() == set()
    assert set(os.listdir(store.root / "leases")) <= {".lock"}


def test_killed_while_filling_and_removing_volumes(tmp_path: Path) -> None:
    image = tmp_path / "image"
    for number in range(20):
        (image / f"d{number}").mkdir(parents=True)
        (image / f"d{number}" / "file").write_text("x")

    def work() -> None:
        volumes = Volumes(Store.open(tmp_path / "store"))
        fd = os.open(image, os.O_RDONLY)
        while True:
            volume = volumes.create(os.urandom(4).hex())
            volumes.populate(volume, fd)
            if random.random() < 0.5:
                volumes.remove(volume.name)

    for round_ in range(ROUNDS):
        _killed(work, round_)

    with Store.open(tmp_path / "store") as store:
        volumes = Volumes(store)
        for volume in volumes.list():
            assert len(list(volume.path.rglob("file"))) in (0, 20)
            volumes.remove(volume.name)
        sweep(store, list)
        assert os.listdir(store.ingest.path) == os.listdir(store.root / "volumes") == []


def test_killed_while_making_the_store(tmp_path: Path) -> None:
    for round_ in range(ROUNDS):
        root = tmp_path / str(round_)

        def work(root: Path = root) -> None:
            store = Store.open(root)
            store.records.collection("box", str).insert("a", "x")
            time.sleep(1)

        _killed(work, round_)
        with Store.open(root) as store:
            store.blobs.put(b"x")
            assert store.records.collection("box", str).keys() in ([], ["a"])


def test_killed_while_compacting_and_undoing(tmp_path: Path) -> None:
    drivers = Drivers(tmp_path / "store", tmp_path / "run")
    plain, wanted = io.BytesIO(), {}
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for number in range(10):
            member = tarfile.TarInfo(str(number))
            member.size = 30_000
            archive.addfile(member, io.BytesIO(os.urandom(member.size)))
    diff_id = DiffID(digest.of(plain.getvalue()))
    for level in (1, 6):
        blob = drivers.store.blobs.put(gzip.compress(plain.getvalue(), level, mtime=0))
        wanted[blob.digest] = blob.size
    described = Descriptor(media_type=LAYER_GZIP, digest=blob.digest, size=blob.size)
    unpack_layer(drivers.store, drivers.snapshots, diff_id, described)
    drivers.close()

    def work() -> None:
        drivers = Drivers(tmp_path / "store", tmp_path / "run")
        while True:
            for name in wanted:
                compact(drivers.store, drivers.snapshots, name, diff_id, dry_run=False)
            for name in wanted:
                restore(drivers.store, name)

    kinds: set[bool] = set()
    for round_ in range(10 * ROUNDS):
        if round_ >= ROUNDS and kinds == {True, False}:
            break
        _killed(work, round_, 0.4 + 0.02 * round_)  # later ones give a slow machine the time that it needs
        drivers = Drivers(tmp_path / "store", tmp_path / "run")
        assert set(drivers.store.blobs) == set(wanted)
        for name, size in wanted.items():
            kinds.add(drivers.store.blobs.is_recipe(name))
            with drivers.store.blobs.open(name) as stream:
                assert digest.of(stream.read()) == name
            assert drivers.store.blobs.stat(name).size == size
        any_recipe = any(map(drivers.store.blobs.is_recipe, wanted))
        drivers.snapshots.sweep(lambda: [] if any_recipe else [diff_id])  # noqa: B023
        drivers.close()
    assert kinds == {True, False}
    sweep(drivers.store, list)
    drivers.snapshots.sweep(list)
    assert list(drivers.store.blobs) == drivers.snapshots.layers() == os.listdir(drivers.store.ingest.path) == []
