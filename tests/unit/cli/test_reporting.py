from __future__ import annotations

import os

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
    bars = Bars(pipe[1])
    report(bars)
    bars.finish()
    written = os.read(pipe[0], 65536).decode()
    assert written.endswith("\033[1A\033[2Ka: Download complete\r\n\033[2Kb: Already exists\r\n")


def test_a_bar_shows_the_share_that_is_done(pipe):
    bars = Bars(pipe[1])
    bars.update("a", "Downloading", 1_000_000, 2_000_000)
    assert b"a: Downloading [============>           ]      1MB/2MB" in os.read(pipe[0], 65536)
