from __future__ import annotations

import io
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jubako._invoke import invoke


def raises(error: BaseException) -> Callable[[list[str]], int]:
    def main(_arguments: list[str]) -> int:
        raise error

    return main


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # What atexit and the thread pools hold is this test run's, not a command's; so is an interrupt.
    monkeypatch.setitem(sys.modules, "atexit", None)
    monkeypatch.setitem(sys.modules, "threading", None)
    handler = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, handler)


def test_the_status_is_what_main_returns() -> None:
    assert invoke(len, ["a", "b"]) == 2


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SystemExit(), 0),
        (SystemExit(7), 7),
        (SystemExit(256 + 3), 3),
        (SystemExit("told"), 1),
        (KeyboardInterrupt(), -signal.SIGINT),
        (BrokenPipeError(), -signal.SIGPIPE),
        (RuntimeError("bad"), 1),
    ],
)
def test_what_is_raised_becomes_what_an_interpreter_would_end_with(error: BaseException, status: int) -> None:
    assert invoke(raises(error), []) == status


class Full(io.StringIO):
    def flush(self) -> None:
        raise OSError(28, "No space left on device")


class Left(io.StringIO):
    def flush(self) -> None:
        raise BrokenPipeError


@pytest.mark.parametrize(("stream", "returned", "status"), [(Full, 0, 120), (Full, 3, 3), (Left, 0, -13), (Left, 3, 3)])
def test_output_that_can_not_be_written_shows_in_the_status(
    monkeypatch: pytest.MonkeyPatch, stream: Any, returned: int, status: int
) -> None:
    monkeypatch.setattr(sys, "stdout", stream())
    assert invoke(lambda _arguments: returned, []) == status


def test_threads_and_exit_functions_come_before_the_end() -> None:
    program = """
import atexit, threading, time
from jubako._invoke import die, invoke
def main(arguments):
    atexit.register(print, "exit function")
    threading.Thread(target=lambda: (time.sleep(0.1), print("thread"))).start()
    return 5
die(invoke(main, []))
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (5, "thread\nexit function\n")


def test_the_third_interrupt_ends_what_does_not_end_by_itself() -> None:
    program = """
import os, signal, time
from jubako._invoke import die, invoke
signal.signal(signal.SIGINT, signal.default_int_handler)  # where the tests run in the background, it is ignored
def main(arguments):
    while True:
        try:
            os.write(1, b"runs\\n")  # what print() was interrupted in, it would print again
            time.sleep(60)
        except KeyboardInterrupt:
            os.write(1, b"interrupted\\n")
die(invoke(main, []))
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    for told in ("runs", "interrupted", "runs", "interrupted", "runs"):
        assert process.stdout.readline() == told + "\n"
        if told == "runs":
            process.send_signal(signal.SIGINT)
    assert process.wait(30) == -signal.SIGINT
