"""Run directories of builds under a sweep that never rests."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import cast

from jubako.build.rundir import reap, run_directory
from jubako.network import Networks


class Nothing:
    """No networks: nothing is ever attached."""

    def detach(self, container_id: str) -> None:
        pass


def test_directory_of_a_living_build_is_not_swept_while_it_is_made(tmp_path: Path) -> None:
    networks = cast(Networks, Nothing())
    over = threading.Event()

    def sweep() -> None:
        while not over.is_set():
            reap(networks, tmp_path)

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    try:
        for number in range(500):
            with run_directory(tmp_path, str(number), "group") as path:
                assert (path / "cgroup").read_text() == "group"
            assert not path.exists()
    finally:
        over.set()
        sweeper.join()


def test_directory_of_a_killed_build_is_swept(tmp_path: Path) -> None:
    (tmp_path / "build/dead").mkdir(parents=True)
    assert reap(cast(Networks, Nothing()), tmp_path) == 1
    assert not (tmp_path / "build/dead").exists()
