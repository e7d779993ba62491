"""Waiting for a lock whose holder may have been stopped."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.waiting import until

from jubako.errors import Unavailable
from jubako.linux import locks, proc

HOLD = """
import fcntl, sys
lock = open(sys.argv[1], "rb")
fcntl.flock(lock, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "lock"
    path.touch()
    return path


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"locked\n"
            yield process
        finally:
            process.kill()


@pytest.fixture
def lock(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY)
    yield fd
    os.close(fd)


def test_who_waits_for_a_stopped_holder_gives_up_and_names_it(
    path: Path, holder: subprocess.Popen[bytes], lock: int
) -> None:
    holder.send_signal(signal.SIGSTOP)
    until(lambda: proc.state(holder.pid) == "T")
    for how in (fcntl.LOCK_EX, fcntl.LOCK_SH):
        with pytest.raises(Unavailable, match=f"process {holder.pid}, which holds {path}, is stopped"):
            locks.wait(lock, how, patience_s=0.05)


def test_one_that_goes_on_is_waited_for(holder: subprocess.Popen[bytes], lock: int) -> None:
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(locks.wait, lock, patience_s=0)
        assert holder.stdin is not None
        holder.stdin.close()
        waiting.result(60)
