"""kill -9 of the keeper, its spares and the front while a call comes: none waits for the dead, the next one works."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ...integration.keeper.conftest import front, install, tree, warm
from ...integration.keeper.tree import Tree
from ..runtime.conftest import kill_at
from .conftest import MOMENTS

__all__ = ["front", "install", "kill_at", "tree", "warm"]

pytestmark = pytest.mark.root

WAIT_S = 20.0
DONE, LOST, KILLED = 0, 125, -signal.SIGKILL


def children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def kill(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


VICTIMS: dict[str, tuple[Callable[[int], list[int]], set[int]]] = {
    "keeper": (lambda keeper: [keeper], {DONE}),
    "children": (children, {DONE, KILLED}),
    "keeper and children": (lambda keeper: [keeper, *children(keeper)], {DONE, KILLED, LOST}),
    "children and keeper": (lambda keeper: [*children(keeper), keeper], {DONE, KILLED, LOST}),
}


@pytest.mark.parametrize("who", VICTIMS)
def test_kill_while_a_call_comes(warm: Tree, who: str) -> None:
    victims, statuses = VICTIMS[who]
    began = time.monotonic()
    warm.run("version")
    whole_s = time.monotonic() - began
    for _ in range(MOMENTS):
        keeper = warm.warm_up()
        call = warm.start("version", stderr=subprocess.PIPE)
        time.sleep(random.uniform(0, whole_s))
        kill(victims(keeper))
        output, errors = call.communicate(timeout=WAIT_S)
        assert call.returncode in statuses, errors
        assert call.returncode != DONE or output == "one\n"


@pytest.mark.parametrize("who", ["caller", "command"])
def test_kill_while_a_keeper_comes(tree: Tree, kill_at: Path, who: str, tmp_path: Path) -> None:
    """The front, or whoever makes the system call: all over the first command and the keeper that it leaves."""
    report = tmp_path / "report"

    def killed(number: int) -> int:
        command = [str(kill_at), who, str(number), str(report), tree.command, "version"]
        subprocess.run(command, env=tree.environment(), stdout=subprocess.DEVNULL, timeout=WAIT_S, check=True)
        return int(report.read_text())

    count = killed(0)
    tree.stop()
    step = count // (MOMENTS // 2)
    for number in range(1 + random.randrange(step), count, step):
        killed(number)
        assert tree.run("version", timeout=WAIT_S).stdout == "one\n"
        tree.warm_up()
        tree.stop()
