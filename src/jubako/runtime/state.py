"""What a run directory says of its container, from the files that the monitor writes (executor/record.c).

lock    locked (by its open file description) while the monitor lives
state   pid, its start time, when the program began; locked, to be read, by who cleans up when the container has ended
exit    how it ended; it is there before the monitor lets go of anything

Invariant:  a pid alone is never believed: the monitor's lock, or the pid with its start time, says what lives.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from jubako.linux import proc
from jubako.runtime.launch import Exit
from jubako.spec import decoding

T = TypeVar("T")

_LOCK = struct.Struct("hhqqi0q")

CREATED, RUNNING, STOPPED = "created", "running", "stopped"


class State(msgspec.Struct, frozen=True):
    """`exit` is None while it runs, and when monitor and container were both killed and nobody wrote it down."""

    status: str
    pid: int = 0
    started_ns: int = 0
    exit: Exit | None = None


class _StateFile(msgspec.Struct):
    pid: int = 0
    pid_start: int = 0
    monitor: int = 0
    started_ns: int = 0


def read(run_dir: str | os.PathLike[str]) -> State:
    """The container's state; "stopped" without an exit where there is nothing (any more)."""
    directory = os.fspath(run_dir)
    ended = _read(directory, "exit", Exit)
    if ended:
        return State(STOPPED, 0, ended.started_ns, ended)
    known = _read(directory, "state", _StateFile)
    if _locked(directory):
        if known and _read(directory, "exit", Exit):
            return read(directory)  # it has ended between the two looks
        return _living(known or _StateFile())
    # The monitor is gone: it may have ended its work in between, or been killed (and then its container is, too).
    ended = _read(directory, "exit", Exit)
    if ended:
        return State(STOPPED, 0, ended.started_ns, ended)
    if known and known.pid_start and proc.start_ticks(known.pid) == known.pid_start:
        return _living(known)
    return State(STOPPED, 0, known.started_ns if known else 0, None)


@contextmanager
def awaited(run_dir: str | os.PathLike[str]) -> Iterator[None]:
    """While this lasts the monitor leaves cleaning up to the caller, who waits for the end and does it."""
    try:
        fd = os.open(os.path.join(run_dir, "state"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield
        return
    try:
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _LOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0))
        yield
    finally:
        os.close(fd)


def _living(known: _StateFile) -> State:
    return State(RUNNING if known.started_ns else CREATED, known.pid, known.started_ns)


def _read(directory: str, name: str, kind: type[T]) -> T | None:
    try:
        with open(os.path.join(directory, name), "rb") as file:
            return decoding.decode(file.read(), kind)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _locked(directory: str) -> bool:
    try:
        fd = os.open(os.path.join(directory, "lock"), os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        # Asking takes no lock, so that nobody who looks can be in the way of a monitor that starts.
        answer = fcntl.fcntl(fd, fcntl.F_OFD_GETLK, _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    finally:
        os.close(fd)
    kind: int = _LOCK.unpack(answer)[0]
    return kind != fcntl.F_UNLCK
