"""The program git, played by scripts: what it leaves running holds nobody up, and ends."""

from __future__ import annotations

import os
import select
import threading
from pathlib import Path

import pytest

from jubako.build.solver.cancellation import Cancellation, Cancelled
from jubako.build.sources.gitprogram import Git
from jubako.build.sources.giturl import Repository
from jubako.errors import Unavailable

pytestmark = pytest.mark.timeout(120)


class Played(Cancellation):
    """A task that nobody listens to."""

    def log(self, data: bytes) -> None:
        pass


@pytest.fixture
def task() -> Played:
    return Played()


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: Played) -> Git:
    """It does what the file `script` says."""
    program = tmp_path / "git"
    program.write_text(f"#!/bin/sh\n. {tmp_path}/script\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return Git(Repository(url="git://127.0.0.1/x.git"), task)


def helper(directory: Path) -> int:
    """A pidfd of what the script began."""
    return os.pidfd_open(int((directory / "helper").read_text()))


def ended(pidfd: int) -> bool:
    try:
        return bool(select.select([pidfd], [], [], 60)[0])
    finally:
        os.close(pidfd)


def test_what_it_prints_and_what_it_says_of_a_failure_come_back(git: Git, tmp_path: Path) -> None:
    (tmp_path / "script").write_text("echo out; echo errors >&2")
    assert git.run("ls-remote") == "out\n"
    (tmp_path / "script").write_text("echo reason >&2; exit 3")
    with pytest.raises(Unavailable, match=r"git ls-remote of .* failed: reason"):
        git.run("ls-remote")


def test_a_helper_that_outlives_it_is_not_waited_for(git: Git, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    (tmp_path / "script").write_text(f"sleep 1000 & echo $! >{tmp_path}/helper; echo >{fifo}; cat {fifo}; kill -9 $$")
    found: list[int] = []

    def look() -> None:
        fifo.read_bytes()
        found.append(helper(tmp_path))
        fifo.write_bytes(b"")

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    with pytest.raises(Unavailable, match="status -9"):
        git.run("fetch")
    looking.join()
    assert ended(found[0])


def test_one_that_is_given_up_ends_with_its_helpers(git: Git, task: Played, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    (tmp_path / "script").write_text(f"sleep 1000 & echo $! >{tmp_path}/helper; echo >{fifo}; wait")
    found: list[int] = []

    def give_up() -> None:
        fifo.read_bytes()
        found.append(helper(tmp_path))
        task.cancel()

    giving_up = threading.Thread(target=give_up, daemon=True)
    giving_up.start()
    with pytest.raises(Cancelled):
        git.run("fetch")
    giving_up.join()
    assert ended(found[0])
