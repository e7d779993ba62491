"""An engine whose commands are killed at random moments."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ...remains import Remains

MOMENTS = int(os.environ.get("JUBAKO_CRASH_MOMENTS", "50"))


class Killer:
    """An engine of the test's own: `cli` for what must work, `kill` for what is killed."""

    def __init__(self, cli, how: str) -> None:
        self.cli = cli
        self.how = how
        self.env = {**cli.env, "JUBAKO_KEEPER": "0"} if how == "cold" else cli.env
        self.moments = MOMENTS if how == "cold" else (MOMENTS + 1) // 2

    def duration_s(self, *arguments: str) -> float:
        """How long the command takes when it is left alone; the second time, when all is warm."""
        start = time.monotonic()
        done = self.cli.run(*arguments, env=self.env)
        assert done.returncode == 0, done.stderr.decode()
        return time.monotonic() - start

    def kill(self, *arguments: str, longest_s: float) -> None:
        """Start the command, kill it after a random time, and take its status."""
        process = subprocess.Popen(
            [*self.cli.argv, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self.env,
        )
        time.sleep(random.uniform(0, longest_s))
        if self.how == "child":
            for pid in self._children_of_keeper():
                kill(pid)
        else:
            kill(process.pid)
        process.wait(60)

    def _children_of_keeper(self) -> list[int]:
        for lock in self.cli.run_root.glob("keeper-*.lock"):
            pid = lock.read_text().strip()
            try:
                return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
            except OSError:
                continue
        return []


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.fixture(params=["cold", "front", "child"])
def killer(request, tmp_path, state) -> Iterator[Killer]:
    cli = type(state)(tmp_path / "root", tmp_path / "run")
    remains = Remains(cli)
    archive = tmp_path / "busybox.tar"
    state("save", "-o", str(archive), "busybox")
    cli("load", "-i", str(archive))
    yield Killer(cli, request.param)
    remains.assert_none_after_prune()
