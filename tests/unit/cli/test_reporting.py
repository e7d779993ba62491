from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

import pytest

from jubako.cli.reporting import Bars, Lines


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def report(progress):
    progress.update("a", "Waiting")
    progress.update("a", "Waiting")
    progress.update("a", "Downloading", 0, 2000)
    progress.update("b", "Already exists", 5, 5)
    progress.update("a", "Downloading", 1000, 2000)
    progress.update("a", "Download complete", 2000, 2000)


def test_a_file_gets_a_line_for_each_new_status_and_no_counting(pipe):
    report(Lines(pipe[1]))
    assert os.read(pipe[0], 65536) == b"a: Waiting\nb: Already exists\na: Download complete\n"


def test_a_terminal_ends_with_one_line_for_each_layer(pipe):
    bars = Bars(pipe[1], patience_s=0)
    report(bars)
    bars.finish()
    drawn = os.read(pipe[0], 65536).decode().replace("\r", "")
    *_, last = drawn.split("\033[1A\033[2K")
    assert last.removesuffix("\033[?25h") == "a: Download complete\nb: Already exists\n"
    assert drawn.endswith("\033[?25h"), "the cursor is back"


def test_what_is_over_soon_is_told_in_lines_and_loads_nothing(pipe):
    program = (
        "import sys; from jubako.cli.reporting import Bars; b = Bars(1); b.update('a', 'Loaded', 5, 5); b.finish()"
    )
    check = "; assert 'rich' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program + check], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "a: Loaded\n")


def test_a_bar_shows_the_share_that_is_done(pipe):
    bars = Bars(pipe[1], patience_s=0)
    bars.update("a", "Downloading", 1_000_000, 2_000_000)
    assert b"a: Downloading [============>           ]      1MB/2MB" in os.read(pipe[0], 65536)
    bars.finish()


def terminal(rows: int, columns: int) -> tuple[int, int]:
    reading, writing = pty.openpty()
    fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    return reading, writing


def shown(fd: int) -> str:
    """What the terminal was told so far."""
    found = b""
    while select.select([fd], [], [], 0.05)[0]:
        found += os.read(fd, 1 << 16)
    return found.decode()


def test_more_layers_than_lines_and_long_lines_keep_the_screen_in_order():
    reading, writing = terminal(6, 40)
    try:
        bars = Bars(writing, patience_s=0)
        for number in range(30):
            bars.update(f"layer{number:02}", "Downloading from a very far away registry", number, 1000)
            time.sleep(0.005)
        drawn = shown(reading)
        assert drawn.count("\n", drawn.rfind("\033[2K")) < 6, "one screen is drawn over again"
        assert all(len(line.rsplit("\033[2K")[-1].strip("\r")) <= 40 for line in drawn.split("\n"))
        bars.finish()
        assert shown(reading).rpartition("\033[2K")[2].count("layer") == 30, "in the end all are there"
    finally:
        os.close(reading)
        os.close(writing)
