"""criu as a worker, played by programs that do not answer."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from jubako.runtime.oci.criu import MEMORY_TRACKING, Worker


def plays(directory: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = directory / "criu"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")


def test_one_that_ends_without_an_answer_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plays(tmp_path, monkeypatch, "exit 1")
    worker = Worker()
    assert not worker.supports(MEMORY_TRACKING)
    worker.close()


@pytest.mark.timeout(20)
def test_nor_is_what_it_leaves_with_the_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plays(tmp_path, monkeypatch, f"sleep 1000 & echo $! >{tmp_path}/pid; kill -9 $$")
    worker = Worker()
    try:
        assert not worker.supports(MEMORY_TRACKING)
    finally:
        worker.close()
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
