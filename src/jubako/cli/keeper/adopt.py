"""Turn this process into one that the caller could have started: files, directory, environment, signals, stdio."""

from __future__ import annotations

import fcntl
import io
import os
import signal
import sys
import time

from jubako.cli.keeper.context import Differs

FIRST_FREE_FD = 3
# Without the C library's own two, which posix_spawn(3) of glibc leaves ignored in what it starts.
SIGNALS = frozenset(map(int, signal.valid_signals()))


def adopt_files(files: dict[int, int], own: list[int]) -> list[int]:
    """Put the caller's files at the caller's numbers; return where `own`, which may stand in their way, are then."""
    if len(files) > FIRST_FREE_FD:
        above = max(files) + 1
        own = [_move(fd, above) for fd in own]
        files = {target: _move(fd, above) for target, fd in files.items()}
    for target, fd in files.items():
        os.dup2(fd, target, inheritable=True)
        os.close(fd)
    return own


def adopt_directory(fd: int) -> None:
    try:
        os.fchdir(fd)
    except OSError as error:
        raise Differs("cwd") from error
    os.close(fd)


def adopt_environment(entries: list[bytes]) -> None:
    os.environ.clear()
    environment = os.environb
    for entry in entries:
        name, is_sign, value = entry.partition(b"=")
        if is_sign and name and name not in environment:  # the first of two counts, as for the interpreter
            environment[name] = value
    time.tzset()


def reset_signals() -> None:
    """Leave each signal as a new interpreter does that inherited nothing."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if signal.getsignal(number) != signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def adopt_signals(ignored: int, blocked: int) -> None:
    """Ignore and block what the caller does; each is a mask whose bit n - 1 is signal n. After reset_signals."""
    for number in _members(ignored):
        signal.signal(number, signal.SIG_IGN)
    if blocked:
        signal.pthread_sigmask(signal.SIG_SETMASK, _members(blocked))


def _members(mask: int) -> list[int]:
    return [number for number in range(1, mask.bit_length() + 1) if mask >> (number - 1) & 1 and number in SIGNALS]


def adopt_stdio() -> None:
    """Make sys.stdin, stdout and stderr anew: they remember whether their file is a terminal."""
    sys.stdin = sys.__stdin__ = _text(0, "rb", "surrogateescape")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _text(1, "wb", "surrogateescape")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _text(2, "wb", "backslashreplace", line_buffering=True)  # type: ignore[misc]


def _text(fd: int, mode: str, errors: str, *, line_buffering: bool = False) -> io.TextIOWrapper:
    binary = open(fd, mode, closefd=False)  # noqa: SIM115 - lives as long as the process
    return io.TextIOWrapper(binary, "utf-8", errors, line_buffering=line_buffering or os.isatty(fd))


def _move(fd: int, above: int) -> int:
    try:
        moved: int = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, above)
    except OSError as error:
        raise Differs("fds") from error
    os.close(fd)
    return moved
