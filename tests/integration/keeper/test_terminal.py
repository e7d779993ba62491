"""A warm call at a terminal: the process that reads it is in another session, and nobody can tell."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .terminal import Terminal
from .tree import Tree, alive, until

pytestmark = pytest.mark.root

Open = Callable[..., Terminal]
PROMPT = "prompt> "


@pytest.fixture
def terminal(warm: Tree) -> Iterator[Open]:
    opened: list[Terminal] = []

    def start(*arguments: str, env: dict[str, str] | None = None) -> Terminal:
        opened.append(Terminal([warm.command, *arguments], warm.environment(**(env or {}))))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.fixture
def shell(warm: Tree) -> Iterator[Terminal]:
    """An interactive bash with job control."""
    environment = warm.environment(PS1=PROMPT, TERM="dumb", HISTFILE="")
    one = Terminal(["/bin/bash", "--norc", "--noprofile", "--noediting", "-i"], environment)
    one.expect(PROMPT)
    yield one
    one.close()


def test_all_three_are_the_terminal(terminal: Open) -> None:
    at = terminal("state")
    assert '"terminals": [true, true, true]' in at.expect('"cgroup"')
    assert at.wait() == 0


def test_raw_mode_passes_each_key_and_is_undone(terminal: Open) -> None:
    at = terminal("raw")
    at.expect("in raw mode\r\n")
    assert not at.is_cooked()
    at.type("a\x03\x1a\x1c\x04\x10\x11")
    at.expect("<97><3><26><28><4><16><17>")
    at.type("q")
    assert at.wait() == 0
    assert at.modes() == at.initial


def test_window_size_is_seen_and_followed(terminal: Open) -> None:
    at = terminal("sizes")
    at.expect("size 0 0")
    for rows, columns in ((24, 80), (50, 132)):
        at.resize(rows, columns)
        at.expect(f"size {rows} {columns}")
    at.type("\n")
    assert at.wait() == 0


def test_lines_are_read_until_the_end_of_input(terminal: Open) -> None:
    at = terminal("lines")
    at.expect("ready")
    at.type("first\n")
    at.expect("got first")
    at.type("\x04")
    at.expect("end")
    assert at.wait() == 0


def test_ctrl_c_interrupts(terminal: Open) -> None:
    at = terminal("interrupt")
    at.expect("ready")
    at.type("\x03")
    at.expect("interrupted")
    assert at.wait() == 42


def test_ctrl_c_unhandled_kills_by_the_signal(terminal: Open) -> None:
    at = terminal("wait")
    at.expect("ready")
    at.type("\x03")
    assert at.wait() == -signal.SIGINT


def test_ctrl_backslash_quits(terminal: Open) -> None:
    at = terminal("wait")
    at.expect("ready")
    at.type("\x1c")
    assert at.wait() == -signal.SIGQUIT


def test_terminal_is_restored_when_the_call_is_killed_in_raw_mode(warm: Tree, terminal: Open) -> None:
    at = terminal("raw")
    at.expect("in raw mode\r\n")
    child = children_of(warm.keeper())
    for pid in child:
        os.kill(pid, signal.SIGKILL)
    assert at.wait() == -signal.SIGKILL
    assert at.modes() == at.initial


def test_a_closed_terminal_ends_the_call(warm: Tree, terminal: Open) -> None:
    at = terminal("wait")
    pid = int(at.expect("\r\n").split()[1])
    os.close(at.master)
    at.master = -1
    until(lambda: not alive(pid))


def test_ctrl_z_stops_and_fg_goes_on(shell: Terminal, warm: Tree, tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    shell.type(f"{warm.command} count {counter}\n")
    shell.expect("ready")
    until(counter.exists)
    shell.type("\x1a")
    shell.expect("Stopped")
    shell.expect(PROMPT)
    assert stands_still(counter)
    shell.type("fg\n")
    until(lambda: not stands_still(counter))
    shell.type("\x03")
    shell.expect(PROMPT)
    shell.type("echo status $?\n")
    shell.expect("status 130")


def test_bg_goes_on_in_the_background(shell: Terminal, warm: Tree, tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    shell.type(f"{warm.command} count {counter}\n")
    shell.expect("ready")
    until(counter.exists)
    shell.type("\x1a")
    shell.expect("Stopped")
    shell.type("bg\n")
    until(lambda: not stands_still(counter))
    shell.type("kill %1; wait %1; echo status $?\n")
    shell.expect("status 143")


def test_a_stop_in_raw_mode_gives_the_shell_its_terminal_back(shell: Terminal, warm: Tree) -> None:
    shell.type(f"{warm.command} raw\n")
    shell.expect("in raw mode\r\n")
    (front,) = children_of(shell.pid)
    assert os.readlink(f"/proc/{front}/exe") == warm.command, "it ran cold"
    os.kill(front, signal.SIGTSTP)
    shell.expect("Stopped")
    shell.expect(PROMPT)
    until(shell.is_cooked)
    shell.type("fg\n")
    until(lambda: not shell.is_cooked())
    shell.type("x")
    shell.expect("<120>")
    shell.type("q")
    shell.expect(PROMPT)
    assert shell.is_cooked()


def test_stop_is_ignored_where_nobody_could_continue(terminal: Open, tmp_path: Path) -> None:
    """Without a shell the kernel ignores Ctrl-Z (an orphaned process group); so does a warm call."""
    counter = tmp_path / "counter"
    at = terminal("count", str(counter))
    at.expect("ready")
    until(counter.exists)
    at.type("\x1a")
    until(lambda: not stands_still(counter))
    at.type("\x03")
    assert at.wait() == -signal.SIGINT


def test_in_the_background_a_terminal_is_not_read(shell: Terminal, warm: Tree) -> None:
    """A call that starts there must stop at its first read, as the kernel has it: so it runs cold."""
    shell.type(f"{warm.command} lines &\n")
    shell.expect("ready")

    def is_stopped() -> bool:
        shell.type("jobs; echo answ''ered\n")
        return "Stopped" in shell.expect("answered")

    until(is_stopped)
    shell.type("kill %1; fg\n")
    shell.expect(PROMPT)


def test_output_from_the_background_is_written(shell: Terminal, warm: Tree) -> None:
    shell.type(f"{warm.command} version & wait\n")
    shell.expect("one")


def stands_still(counter: Path) -> bool:
    before = counter.read_text()
    time.sleep(0.3)
    return counter.read_text() == before


def children_of(pid: int | None) -> list[int]:
    """The children that are no spare."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split() if not waits_for_calls(int(child))]


def waits_for_calls(pid: int) -> bool:
    """A spare has the listening socket open; a call has not."""
    with open("/proc/net/unix") as table:
        listening = {line.split()[6] for line in table if "keeper-" in line and line.split()[3] == "00010000"}
    return any(what.removeprefix("socket:[").removesuffix("]") in listening for what in open_files(pid))


def open_files(pid: int) -> Iterator[str]:
    """What each fd of a process is, of those that stay open meanwhile."""
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            yield os.readlink(f"/proc/{pid}/fd/{name}")
