"""Who holds a cluster."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.waiting import until

from jubako.cluster.place import Place, Running, tell
from jubako.errors import AlreadyExists


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place("one", tmp_path / "root", tmp_path / "run")


def test_a_cluster_is_held_once_and_tells_by_whom(place: Place) -> None:
    assert place.running() is None
    with place.held() as fd:
        tell(fd, Running(os.getpid(), "https://here"))
        assert place.running() == Running(os.getpid(), "https://here")
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


# Its first thread ends by exit(2), and the second one keeps the lock, as one does that is waiting for the disk.
ENDING = """
import ctypes, os, sys, threading, time
from pathlib import Path
from jubako.cluster.place import Place, Running, tell
with Place("one", Path(sys.argv[1]), Path(sys.argv[2])).held() as fd:
    tell(fd, Running(os.getpid(), "https://here"))
    threading.Thread(target=time.sleep, args=(60,)).start()
    print("held", flush=True)
    ctypes.CDLL(None).syscall(60, 0)
"""


def test_one_that_was_killed_is_waited_for_until_its_last_thread_has_ended(place: Place) -> None:
    argv = [sys.executable, "-c", ENDING, str(place.root), str(place.run_root)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as ending:
        assert ending.stdout
        assert ending.stdout.readline() == b"held\n"
        until(lambda: place.running() is None)
        killed = threading.Timer(0.3, ending.kill)
        killed.start()
        with place.held():
            killed.join()
