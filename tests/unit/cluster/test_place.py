"""Who holds a cluster."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from jubako.cluster.place import Place, Running, tell
from jubako.errors import AlreadyExists


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place("one", tmp_path / "root", tmp_path / "run")


def test_a_cluster_is_held_once_and_tells_by_whom(place: Place) -> None:
    assert place.running() is None
    with place.held() as fd:
        tell(fd, Running(7, "https://here"))
        assert place.running() == Running(7, "https://here")
        with pytest.raises(AlreadyExists, match="cluster one is running already"), place.held():
            pass
    assert place.running() is None


def test_who_looks_does_not_keep_another_from_holding_it(place: Place) -> None:
    with place.held():
        pass
    lock = next((place.run_root / "clusters" / "one").iterdir())
    looking = os.open(lock, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    looked = threading.Timer(0.05, os.close, (looking,))
    looked.start()
    with place.held():
        looked.join()


def test_what_goes_wrong_meanwhile_is_told_as_it_is(place: Place) -> None:
    with pytest.raises(BlockingIOError), place.held():
        raise BlockingIOError
