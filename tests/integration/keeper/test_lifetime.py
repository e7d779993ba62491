"""What happens to a call, its front and the keeper when one of them ends."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from .tree import Tree, alive, until

pytestmark = pytest.mark.root


def begin(tree: Tree, *arguments: str, **options: Any) -> tuple[subprocess.Popen[str], int]:
    """Start a call that says `ready PID`; return the front and the pid of the process that runs the call."""
    front = tree.start(*arguments, **options)
    assert front.stdout is not None
    word, pid = front.stdout.readline().split()
    assert word == "ready"
    assert int(pid) != front.pid, "it did not run warm"
    return front, int(pid)


def test_a_call_outlives_its_keeper_and_still_reports(warm: Tree, tmp_path: Path) -> None:
    front, _child = begin(warm, "signals", str(tmp_path / "log"), "10")
    keeper = warm.keeper()
    assert keeper is not None
    os.kill(keeper, signal.SIGKILL)
    until(lambda: not alive(keeper))
    assert front.poll() is None
    front.send_signal(signal.SIGUSR1)
    assert front.wait(timeout=60) == 0
    assert (tmp_path / "log").read_text() == "10\n"
    warm.warm_up()


def test_the_spare_ends_with_its_keeper(warm: Tree) -> None:
    keeper = warm.keeper()
    assert keeper is not None
    os.kill(keeper, signal.SIGKILL)
    until(lambda: not warm.processes())


def test_front_says_so_when_nobody_is_left_to_give_a_status(warm: Tree) -> None:
    front, child = begin(warm, "wait", stderr=subprocess.PIPE)
    keeper = warm.keeper()
    assert keeper is not None
    os.kill(keeper, signal.SIGKILL)
    until(lambda: not alive(keeper))
    os.kill(child, signal.SIGKILL)
    _output, error = front.communicate(timeout=60)
    assert front.returncode == 125
    assert error == "jubako: the process that ran this command ended without a status; it may have been killed\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_front_that_dies_takes_its_call_along(warm: Tree, number: int) -> None:
    front, child = begin(warm, "wait")
    front.send_signal(number)
    assert front.wait(timeout=60) == -number
    until(lambda: not alive(child))


def test_a_killed_front_with_sighup_ignored_still_ends_its_call(warm: Tree) -> None:
    front, child = begin(warm, "wait", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    front.kill()
    front.wait()
    until(lambda: not alive(child))


def test_a_killed_front_reaches_a_call_that_outlived_the_keeper(warm: Tree, tmp_path: Path) -> None:
    front, child = begin(warm, "signals", str(tmp_path / "log"), "1")
    keeper = warm.keeper()
    assert keeper is not None
    os.kill(keeper, signal.SIGKILL)
    front.kill()
    front.wait()
    until(lambda: not alive(child))
    assert (tmp_path / "log").read_text() == "1\n"


def test_relayed_signals_arrive_each_once(warm: Tree, tmp_path: Path) -> None:
    numbers = [signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGWINCH, signal.SIGTERM]
    front, _child = begin(warm, "signals", str(tmp_path / "log"), *(str(int(n)) for n in [*numbers, signal.SIGUSR2]))
    for count, number in enumerate(numbers, 1):
        front.send_signal(number)
        until(lambda count=count: lines(tmp_path / "log") == [str(int(n)) for n in numbers[:count]])
    front.send_signal(signal.SIGUSR2)
    assert front.wait(timeout=60) == 0


def test_an_interrupt_is_a_keyboard_interrupt(warm: Tree) -> None:
    front = warm.start("interrupt")
    assert front.stdout is not None
    assert front.stdout.readline() == "ready\n"
    front.send_signal(signal.SIGINT)
    assert front.stdout.readline() == "interrupted\n"
    assert front.wait(timeout=60) == 42


def test_an_unhandled_interrupt_kills_the_front_by_that_signal(warm: Tree) -> None:
    front, _child = begin(warm, "wait")
    front.send_signal(signal.SIGINT)
    assert front.wait(timeout=60) == -signal.SIGINT


def test_idle_keeper_ends_and_leaves_no_socket(tree: Tree) -> None:
    tree.warm_up(env={"JUBAKO_KEEPER_IDLE": "1"})
    path = tree.socket()
    assert path.exists()
    until(lambda: not tree.processes())
    assert not path.exists()
    assert not path.with_suffix(".lock").exists()


def test_files_of_killed_keepers_are_removed_by_the_next(tree: Tree) -> None:
    keeper = tree.warm_up()
    dead = tree.socket()
    os.kill(keeper, signal.SIGKILL)
    until(lambda: not tree.processes())
    assert dead.exists()
    rehearsed = dead.with_suffix(".rehearsal")
    (rehearsed / "root").mkdir(parents=True)
    os.utime(tree.command)  # as if installed again: the next keeper has another name
    tree.warm_up()
    assert tree.socket() != dead
    assert not dead.exists()
    assert not dead.with_suffix(".lock").exists()
    assert not rehearsed.exists()


def test_an_idle_time_that_is_no_number_is_the_default(tree: Tree) -> None:
    tree.warm_up(env={"JUBAKO_KEEPER_IDLE": "soon"})


def test_a_long_call_keeps_an_idle_keeper(tree: Tree) -> None:
    brief = {"JUBAKO_KEEPER_IDLE": "1"}
    tree.warm_up(env=brief)
    front, child = begin(tree, "wait", "", "30", env=brief)
    time.sleep(2.0)
    os.kill(child, signal.SIGKILL)
    assert front.wait(timeout=60) == -signal.SIGKILL  # only a living keeper could tell
    until(lambda: not tree.processes())


def test_calls_while_keepers_come_and_go_never_fail(tree: Tree) -> None:
    """Each call kills the keeper of the one before, at any point of its life."""
    for delay_ms in range(0, 300, 7):
        assert tree.run("version").stdout == "one\n"
        time.sleep(delay_ms / 1000)
        keeper = tree.keeper()
        if keeper is not None:
            os.kill(keeper, signal.SIGTERM if delay_ms % 2 else signal.SIGKILL)


def test_a_keeper_without_its_socket_ends(tree: Tree) -> None:
    brief = {"JUBAKO_KEEPER_IDLE": "1"}
    keeper = tree.warm_up(env=brief)
    tree.socket().unlink()
    until(lambda: not alive(keeper))


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []
