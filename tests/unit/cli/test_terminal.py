from __future__ import annotations

import fcntl
import os
import struct
import termios

import pytest

from jubako.cli import terminal
from jubako.cli.failure import Exit
from jubako.cli.terminal import DetachKeys, RawMode


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("ctrl-p,ctrl-q", b"\x10\x11"),
        ("a", b"a"),
        ("ctrl-@,x", b"\0x"),
        ("ctrl-[,ctrl-\\,ctrl-]", b"\x1b\x1c\x1d"),
        ("", b""),
    ],
)
def test_detach_keys_are_named_as_in_docker(text, keys):
    assert terminal.parse_keys(text) == keys


@pytest.mark.parametrize("text", ["ctrl-", "foo", "ctrl-P", "a,,b", "ctrl-1"])
def test_unknown_detach_keys_are_refused(text):
    with pytest.raises(Exit, match="invalid detach keys"):
        terminal.parse_keys(text)


def feed(*chunks: bytes, keys: bytes = b"\x10\x11") -> tuple[bytes, bool]:
    watcher, passed = DetachKeys(keys), b""
    for chunk in chunks:
        part, complete = watcher.feed(chunk)
        passed += part
        if complete:
            return passed, True
    return passed, False


def test_what_is_typed_passes():
    assert feed(b"ls\r") == (b"ls\r", False)


def test_the_sequence_detaches_also_in_pieces_and_is_not_passed_on():
    assert feed(b"ab\x10\x11cd") == (b"ab", True)
    assert feed(b"\x10", b"\x11") == (b"", True)


def test_half_a_sequence_is_passed_once_it_is_none():
    assert feed(b"\x10") == (b"", False)
    assert feed(b"\x10", b"x") == (b"\x10x", False)


def test_a_repeated_first_key_may_still_begin_the_sequence():
    assert feed(b"\x10\x10\x11") == (b"\x10", True)


def test_without_keys_everything_passes():
    assert feed(b"\x10\x11", keys=b"") == (b"\x10\x11", False)


@pytest.fixture
def tty():
    master, slave = os.openpty()
    yield slave
    os.close(master)
    os.close(slave)


def test_raw_mode_is_undone_also_after_an_error(tty):
    before = termios.tcgetattr(tty)
    during = _fail_in_raw_mode(tty)
    assert not during[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
    assert not during[1] & termios.OPOST
    assert termios.tcgetattr(tty) == before


def _fail_in_raw_mode(tty: int) -> list[int]:
    during: list[int] = []
    try:
        with RawMode(tty):
            during += termios.tcgetattr(tty)
            raise RuntimeError
    except RuntimeError:
        return during


def test_raw_mode_without_a_terminal_does_nothing():
    with RawMode(None):
        pass


def test_size_is_height_and_width(tty):
    fcntl.ioctl(tty, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    assert terminal.size(tty) == (24, 80)


def test_size_of_what_is_no_terminal_is_unknown():
    with open("/dev/null") as null:
        assert terminal.size(null.fileno()) is None
