"""What every snapshotter must do. A new implementation adds one line to IMPLEMENTATIONS."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from jubako.errors import AlreadyExists, InvalidArgument, NotFound
from jubako.snapshot import Overlay, Snapshotter, mounted
from jubako.spec.oci_image import DiffID
from jubako.store import Store, digest

pytestmark = pytest.mark.root

IMPLEMENTATIONS: dict[str, Callable[[Store], Snapshotter]] = {
    "overlay": Overlay,
    "overlay-userxattr": lambda store: Overlay(store, userxattr=True),
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture(params=IMPLEMENTATIONS)
def snapshots(request: pytest.FixtureRequest, store: Store) -> Snapshotter:
    return IMPLEMENTATIONS[request.param](store)


def _layer(snapshots: Snapshotter, **files: str) -> DiffID:
    """Commit a layer of `files`; content None stands for a whiteout."""
    diff_id = DiffID(digest.of(repr(files).encode()))
    with snapshots.new_layer() as draft:
        for name, text in files.items():
            (draft.path / name).write_text(text)
        draft.commit(diff_id)
    return diff_id


def _read(root: int, name: str) -> str:
    with open(os.open(name, os.O_RDONLY, dir_fd=root)) as stream:
        return stream.read()


def _write(root: int, name: str, text: str) -> None:
    with open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644, dir_fd=root), "w") as stream:
        stream.write(text)


def test_a_committed_layer_is_there(snapshots: Snapshotter) -> None:
    layer = _layer(snapshots, a="1")
    assert snapshots.has_layer(layer)
    assert snapshots.layers() == [layer]
    assert (snapshots.layer_path(layer) / "a").read_text() == "1"


def test_a_draft_that_is_left_is_gone(snapshots: Snapshotter, store: Store) -> None:
    with snapshots.new_layer() as draft:
        (draft.path / "a").write_text("1")
        assert os.listdir(draft.fd) == ["a"]
    assert snapshots.layers() == []
    assert os.listdir(store.ingest.path) == []


def test_the_second_commit_of_a_layer_is_content(snapshots: Snapshotter) -> None:
    assert _layer(snapshots, a="1") == _layer(snapshots, a="1")
    assert len(snapshots.layers()) == 1


def test_a_layer_can_be_empty(snapshots: Snapshotter) -> None:
    assert _layer(snapshots) == _layer(snapshots)
    assert len(snapshots.layers()) == 1


def test_upper_layers_cover_lower_ones_and_writes_cover_all(snapshots: Snapshotter) -> None:
    layers = [_layer(snapshots, a="1", b="1", c="1"), _layer(snapshots, b="2", c="2")]
    snapshot = snapshots.prepare("box", layers)
    with mounted(snapshots.mounts(snapshot)) as root:
        _write(root, "c", "3")
        assert [_read(root, name) for name in "abc"] == ["1", "2", "3"]
    with mounted(snapshots.mounts("box")) as root:
        assert _read(root, "c") == "3"
    assert (snapshots.upper("box") / "c").read_text() == "3"
    assert (snapshots.layer_path(layers[1]) / "c").read_text() == "2"


def test_layer_that_comes_again_counts_where_it_comes_last(snapshots: Snapshotter) -> None:
    twice, between = _layer(snapshots, a="1", b="1"), _layer(snapshots, b="2", c="2")
    with mounted(snapshots.view_mounts([twice, between, twice])) as root:
        assert [_read(root, name) for name in "abc"] == ["1", "1", "2"]
    with mounted(snapshots.mounts(snapshots.prepare("box", [twice, twice]))) as root:
        assert _read(root, "b") == "1"


def test_snapshots_of_one_image_do_not_see_each_other(snapshots: Snapshotter) -> None:
    layers = [_layer(snapshots, a="1")]
    for key in ("x", "y"):
        with mounted(snapshots.mounts(snapshots.prepare(key, layers))) as root:
            _write(root, "a", key)
    with mounted(snapshots.mounts("x")) as root:
        assert _read(root, "a") == "x"


def test_a_view_is_read_only_and_hides_whiteouts(snapshots: Snapshotter) -> None:
    lower = _layer(snapshots, a="1", b="1")
    snapshots.prepare("box", [lower])
    with mounted(snapshots.mounts("box")) as root:
        os.unlink("a", dir_fd=root)
    upper = DiffID(digest.of(b"upper"))
    snapshots.adopt_upper("box", upper)
    for layers, names in (([lower, upper], ["b"]), ([upper], []), ([lower], ["a", "b"]), ([], [])):
        with mounted(snapshots.view_mounts(layers)) as root:
            assert sorted(os.listdir(root)) == names
            with pytest.raises(OSError, match="Read-only"):
                _write(root, "new", "x")


def test_an_adopted_upper_is_a_layer_and_no_snapshot(snapshots: Snapshotter) -> None:
    base = _layer(snapshots, a="1")
    with mounted(snapshots.mounts(snapshots.prepare("step", [base]))) as root:
        os.unlink("a", dir_fd=root)
        os.mkdir("a", dir_fd=root)
        _write(root, "a/b", "2")
    step = DiffID(digest.of(b"step"))
    snapshots.adopt_upper("step", step)
    assert list(snapshots.keys()) == []
    with mounted(snapshots.mounts(snapshots.prepare("next", [base, step]))) as root:
        assert _read(root, "a/b") == "2"
    with pytest.raises(NotFound):
        snapshots.adopt_upper("step", step)


def test_a_snapshot_of_no_layers_is_empty_and_writable(snapshots: Snapshotter) -> None:
    with mounted(snapshots.mounts(snapshots.prepare("scratch", []))) as root:
        assert os.listdir(root) == []
        _write(root, "a", "1")
        assert stat.S_IMODE(os.fstat(root).st_mode) == 0o755


def test_the_root_looks_like_the_root_of_the_top_layer(snapshots: Snapshotter) -> None:
    with snapshots.new_layer() as draft:
        os.fchmod(draft.fd, 0o1711)
        os.fchown(draft.fd, 5, 6)
        layer = DiffID(digest.of(b"root"))
        draft.commit(layer)
    with mounted(snapshots.mounts(snapshots.prepare("box", [layer]))) as root:
        status = os.fstat(root)
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o1711, 5, 6)


def test_many_layers_mount(snapshots: Snapshotter) -> None:
    layers = [_layer(snapshots, **{f"f{number}": "x"}) for number in range(130)]
    with mounted(snapshots.mounts(snapshots.prepare("deep", layers))) as root:
        assert len(os.listdir(root)) == 130


def test_keys_are_taken_once_and_free_again_after_removal(snapshots: Snapshotter, store: Store) -> None:
    snapshots.prepare("box", [])
    with pytest.raises(AlreadyExists):
        snapshots.prepare("box", [])
    assert list(snapshots.keys()) == ["box"]
    assert snapshots.remove("box")
    assert not snapshots.remove("box")
    snapshots.prepare("box", [])
    assert os.listdir(store.ingest.path) == []


@pytest.mark.parametrize("key", ["", ".", "..", "../x", "a/b", "a\n", "-a", "a" * 129])
def test_keys_are_one_path_component(snapshots: Snapshotter, key: str) -> None:
    with pytest.raises(InvalidArgument):
        snapshots.prepare(key, [])
    with pytest.raises(InvalidArgument):
        snapshots.remove(key)


def test_what_is_absent_is_not_found(snapshots: Snapshotter) -> None:
    absent = DiffID(digest.of(b"absent"))
    assert not snapshots.has_layer(absent)
    with pytest.raises(NotFound):
        snapshots.prepare("box", [absent])
    with pytest.raises(NotFound):
        snapshots.mounts("none")
    assert list(snapshots.keys()) == []


def test_usage_counts_what_was_written(snapshots: Snapshotter) -> None:
    snapshots.prepare("box", [_layer(snapshots, a="x" * 100_000)])
    empty = snapshots.usage("box")
    (snapshots.upper("box") / "b").write_bytes(b"x" * 1_000_000)
    assert 1_000_000 <= snapshots.usage("box") - empty < 1_100_000
    assert snapshots.usage("none") == 0


def test_sweep_keeps_roots_and_leased_layers(snapshots: Snapshotter, store: Store) -> None:
    root, leased, unused = (_layer(snapshots, a=text) for text in ("root", "leased", "unused"))
    with store.leases.hold() as lease:
        lease.add(leased)
        freed = snapshots.sweep(lambda: [root])
    assert set(snapshots.layers()) == {root, leased}
    assert not snapshots.has_layer(unused)
    assert freed.count == 1
    assert freed.bytes > 0
    assert os.listdir(store.ingest.path) == []


def test_mounts_leave_the_mount_table_alone(snapshots: Snapshotter) -> None:
    table = Path("/proc/self/mountinfo").read_text()
    with mounted(snapshots.mounts(snapshots.prepare("box", []))):
        assert Path("/proc/self/mountinfo").read_text() == table
