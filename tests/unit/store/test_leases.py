from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from jubako.errors import InvalidArgument
from jubako.store import Store, sweep


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def test_a_lease_protects_while_it_is_held(store: Store) -> None:
    with store.leases.hold("pull") as lease:
        lease.add("sha256:a", "snapshot-b")
        lease.add("c")
        assert store.leases.held() == {"sha256:a", "snapshot-b", "c"}
    assert store.leases.held() == set()


def test_leases_add_up(store: Store) -> None:
    with store.leases.hold() as first, store.leases.hold() as second:
        first.add("a")
        second.add("b")
        assert store.leases.held() == {"a", "b"}


def test_the_lease_of_a_killed_process_is_reaped(store: Store) -> None:
    ready_read, ready_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            with store.leases.hold() as lease:
                lease.add("a")
                os.write(ready_write, b"x")
                signal.pause()
        finally:
            os._exit(0)
    os.read(ready_read, 1)
    assert store.leases.held() == {"a"}
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert store.leases.held() == set()
    assert os.listdir(store.root / "leases") == [".lock"]
    os.close(ready_read)
    os.close(ready_write)


def test_names_are_harmless_as_file_names(store: Store) -> None:
    with store.leases.hold("../../pull docker.io/x:1\n") as lease:
        assert lease.path.parent == store.root / "leases"


def test_a_key_is_one_line(store: Store) -> None:
    with store.leases.hold() as lease, pytest.raises(InvalidArgument):
        lease.add("a\nb")


def test_sweep_keeps_roots_and_leased_blobs(store: Store) -> None:
    root, leased, unused = (store.blobs.put(data).digest for data in (b"root", b"leased", b"unused"))
    with store.leases.hold() as lease:
        lease.add(leased)
        freed = sweep(store, lambda: [root])
    assert set(store.blobs) == {root, leased}
    assert not store.blobs.exists(unused)
    assert (freed.count, freed.bytes) == (1, len(b"unused"))


def test_nothing_is_added_to_a_lease_while_a_sweep_decides(store: Store) -> None:
    """The holder looks for the blob after `add`: it must find it gone, or keep it."""
    digest = store.blobs.put(b"x").digest
    ready_read, ready_write = os.pipe()
    found_read, found_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            with store.leases.hold() as lease:
                os.read(ready_read, 1)
                lease.add(digest)
                os.write(found_write, b"1" if store.blobs.exists(digest) else b"0")
        finally:
            os._exit(0)

    def roots() -> list[str]:
        os.write(ready_write, b"x")
        time.sleep(0.02)
        return []

    sweep(store, roots)  # type: ignore[arg-type]
    assert os.read(found_read, 1) == b"0"
    os.waitpid(pid, 0)
    for fd in (ready_read, ready_write, found_read, found_write):
        os.close(fd)
