from __future__ import annotations

import os
from pathlib import Path

import pytest

from jubako.errors import NotFound, PermissionDenied
from jubako.store import Store
from jubako.store.removal import remove_at, remove_tree, tree_usage


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def test_a_workspace_is_gone_after_use(store: Store) -> None:
    with store.ingest.workspace() as workspace:
        (workspace.path / "data").write_bytes(b"x")
        assert store.ingest.reap() == 0
        assert workspace.path.is_dir()
    assert os.listdir(store.ingest.path) == []


def test_directories_of_nobody_are_reaped(store: Store) -> None:
    (store.ingest.path / "dead").mkdir()
    (store.ingest.path / "dead" / "data").write_bytes(b"x" * 10_000)
    assert store.ingest.reap() >= 10_000
    assert os.listdir(store.ingest.path) == []


def test_discard_removes_a_directory_of_the_store(store: Store) -> None:
    path = store.root / "snapshots" / "a"
    (path / "b").mkdir(parents=True)
    store.ingest.discard(path)
    assert not path.exists()
    assert os.listdir(store.ingest.path) == []


def test_removal_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "keep").mkdir()
    (tmp_path / "keep" / "file").write_text("x")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to(tmp_path / "keep")
    (tree / "dangling").symlink_to("nowhere")
    (tree / "sub").mkdir()
    (tree / "sub" / "up").symlink_to("../..")
    os.mkfifo(tree / "fifo")
    remove_tree(tree)
    assert not tree.exists()
    assert (tmp_path / "keep" / "file").read_text() == "x"


def test_removal_of_hostile_names(tmp_path: Path) -> None:
    tree = os.fsencode(tmp_path / "tree")
    os.mkdir(tree)
    for name in (b"\xff\xfe", b"-rf", b"a\nb", b" ", b"n" * 255):
        os.mkdir(tree + b"/" + name)
        with open(tree + b"/" + name + b"/file", "wb"):
            pass
    remove_tree(os.fsdecode(tree))
    assert not os.path.exists(tree)


def test_removal_of_a_very_deep_tree(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    fd = os.open(tmp_path / "tree", os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=fd)
        deeper = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = deeper
    os.close(fd)
    assert tree_usage(tmp_path / "tree") > 0
    remove_tree(tmp_path / "tree")
    assert os.listdir(tmp_path) == []


def test_removal_of_what_is_not_there_or_no_directory(tmp_path: Path) -> None:
    remove_tree(tmp_path / "absent")
    (tmp_path / "file").write_text("x")
    remove_tree(tmp_path / "file")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="changes its user")
def test_an_owner_removes_what_he_locked_himself_out_of(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    parent = os.open(tmp_path, os.O_RDONLY)
    os.seteuid(65534)
    try:
        os.makedirs(f"/proc/self/fd/{parent}/tree/locked/inner")
        os.close(os.open("tree/locked/inner/file", os.O_CREAT | os.O_WRONLY, 0, dir_fd=parent))
        for name, mode in (("tree/locked/inner", 0o500), ("tree/locked", 0)):
            os.chmod(name, mode, dir_fd=parent)
        remove_at(parent, "tree")
    finally:
        os.seteuid(0)
        os.close(parent)
    assert os.listdir(tmp_path) == []


def test_usage_counts_hard_links_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    single = tree_usage(tmp_path)
    os.link(tmp_path / "a", tmp_path / "b")
    (tmp_path / "l").symlink_to("a")
    assert tree_usage(tmp_path) == single


def test_a_store_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        Store.open(tmp_path / "none", create=False)
    assert os.listdir(tmp_path) == []


def test_a_new_store_keeps_others_out(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "state" / "store")
    assert store.root.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in store.root.iterdir()} >= {"blobs", "ingest", "leases", "layers", "snapshots"}


@pytest.mark.skipif(os.geteuid() != 0, reason="changes its user")
def test_a_directory_of_another_user_is_permission_denied(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    os.seteuid(65534)
    try:
        with pytest.raises(PermissionDenied, match=str(tmp_path)):
            Store.open(tmp_path / "other")
        with pytest.raises(PermissionDenied, match=str(tmp_path)):
            store.blobs.put(b"x")
        with pytest.raises(PermissionDenied, match=r"jubako\.db"):
            store.records.collection("box", int).keys()
    finally:
        os.seteuid(0)
