from __future__ import annotations

import contextlib
import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from jubako.errors import DataLoss, NotFound
from jubako.image.catalog import Image, Images
from jubako.image.compose import write_image
from jubako.snapshot import Overlay, mounted
from jubako.snapshot.unpack import Unpacking, ensure
from jubako.spec.oci_image import LAYER_GZIP, Descriptor, DiffID, ImageConfig, RootFS
from jubako.store import Store, digest

pytestmark = pytest.mark.root


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture
def snapshots(store: Store) -> Overlay:
    return Overlay(store)


class Recorder:
    def __init__(self) -> None:
        self.seen: list[tuple[str, str, int | None]] = []

    def update(self, id: str, status: str, current: int | None = None, total: int | None = None) -> None:
        self.seen.append((id, status, current))


def _layer(store: Store, files: dict[str, bytes]) -> tuple[Descriptor, DiffID]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    blob = store.blobs.put(gzip.compress(buffer.getvalue(), mtime=0))
    return Descriptor(media_type=LAYER_GZIP, digest=blob.digest, size=blob.size), DiffID(digest.of(buffer.getvalue()))


def _image(store: Store, layers: list[tuple[Descriptor, DiffID]]) -> Image:
    config = ImageConfig(architecture="amd64", os="linux", rootfs=RootFS(diff_ids=[diff_id for _, diff_id in layers]))
    return Images(store).load(write_image(store, config, [blob for blob, _ in layers]))


def test_missing_layers_are_unpacked_and_mount(store: Store, snapshots: Overlay) -> None:
    layers = [
        _layer(store, {"a": b"1", "b": b"1"}),
        _layer(store, {"b": b"2", ".wh.a": b""}),
        _layer(store, {"c": b"3"}),
    ]
    image = _image(store, layers)
    recorder = Recorder()
    for _ in range(2):
        with store.leases.hold() as lease:
            ensure(store, snapshots, image, lease=lease, progress=recorder)
            assert {*image.diff_ids} <= store.leases.held()
    assert len([1 for _, status, _ in recorder.seen if status == "Pull complete"]) == 3
    with mounted(snapshots.view_mounts(image.diff_ids)) as root:
        assert sorted(os.listdir(root)) == ["b", "c"]


@pytest.mark.parametrize("doubted", [True, False])
def test_a_doubted_blob_must_be_what_its_layer_is(store: Store, snapshots: Overlay, doubted: bool) -> None:
    blob, diff_id = _layer(store, {"a": b"1"})
    other, _ = _layer(store, {"b": b"2"})
    with store.leases.hold() as lease, Unpacking(store, snapshots, lease=lease) as unpacking:
        unpacking.begin(diff_id, blob)
    with store.leases.hold() as lease, Unpacking(store, snapshots, lease=lease) as unpacking:
        unpacking.begin(diff_id, blob, doubted=True)
    expected = pytest.raises(DataLoss, match="unpacks to") if doubted else contextlib.nullcontext()
    with expected, store.leases.hold() as lease, Unpacking(store, snapshots, lease=lease) as unpacking:
        unpacking.begin(diff_id, other, doubted=doubted)


def test_a_layer_that_occurs_twice_is_unpacked_once(store: Store, snapshots: Overlay) -> None:
    layer = _layer(store, {"a": b"1"})
    with store.leases.hold() as lease:
        ensure(store, snapshots, _image(store, [layer, layer]), lease=lease)
    assert snapshots.layers() == [layer[1]]


def test_a_layer_with_another_diff_id_is_refused_and_leaves_nothing(store: Store, snapshots: Overlay) -> None:
    blob, _ = _layer(store, {"a": b"1"})
    image = _image(store, [(blob, DiffID(digest.of(b"another")))])
    with store.leases.hold() as lease, pytest.raises(DataLoss, match="the image says"):
        ensure(store, snapshots, image, lease=lease)
    assert snapshots.layers() == []
    assert os.listdir(store.ingest.path) == []


def test_a_missing_blob_is_not_found(store: Store, snapshots: Overlay) -> None:
    layer = _layer(store, {"a": b"1"})
    image = _image(store, [layer])
    store.blobs.delete(layer[0].digest)
    with store.leases.hold() as lease, pytest.raises(NotFound, match="No such blob"):
        ensure(store, snapshots, image, lease=lease)


def test_a_truncated_blob_is_data_loss(store: Store, snapshots: Overlay) -> None:
    layer = _layer(store, {"a": os.urandom(100_000)})
    data = store.blobs.read(layer[0].digest)
    cut = store.blobs.put(data[: len(data) // 2])
    image = _image(store, [(Descriptor(media_type=LAYER_GZIP, digest=cut.digest, size=cut.size), layer[1])])
    with store.leases.hold() as lease, pytest.raises(DataLoss):
        ensure(store, snapshots, image, lease=lease)
    assert os.listdir(store.ingest.path) == []


def test_what_is_interrupted_stops_and_leaves_nothing(store: Store, snapshots: Overlay) -> None:
    layers = [_layer(store, {str(number): os.urandom(3_000_000)}) for number in range(6)]
    with (
        store.leases.hold() as lease,
        contextlib.suppress(KeyboardInterrupt),
        Unpacking(store, snapshots, lease=lease) as unpacking,
    ):
        for blob, diff_id in layers:
            unpacking.begin(diff_id, blob)
        raise KeyboardInterrupt
    assert len(snapshots.layers()) < 6
    assert os.listdir(store.ingest.path) == []
