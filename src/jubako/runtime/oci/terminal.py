"""A container's terminal on the caller's own, for `run -t` and `exec -t` in the foreground."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import termios
import tty
from collections.abc import Iterator

from jubako.runtime import attach
from jubako.runtime.attach import Attached
from jubako.spec.oci_runtime import Box, Process


def fit(process: Process) -> None:
    """Let its terminal have the size of the caller's from the start, unless the configuration has another."""
    if process.console_size is None:
        with contextlib.suppress(OSError):
            height, width = _size()
            process.console_size = Box(height=height, width=width)


def relay(attached: Attached) -> None:
    """Copy both ways until the container's end."""
    with _raw(), _resizing(attached):
        poll = select.poll()
        poll.register(0, select.POLLIN)
        poll.register(attached.fileno(), select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd == 0 and not _forward(attached):
                    poll.unregister(0)
                elif fd != 0 and not _show(attached):
                    return


def _forward(attached: Attached) -> bool:
    data = os.read(0, 32768)
    with contextlib.suppress(BrokenPipeError):
        attached.write(data)
    return bool(data)


def _show(attached: Attached) -> bool:
    frame = attached.read()
    if frame is None:
        return False
    view = memoryview(frame.data if frame.kind != attach.EXITED else b"")
    while view:
        view = view[os.write(1, view) :]
    return True


@contextlib.contextmanager
def _raw() -> Iterator[None]:
    """The caller's terminal passes every key on while this lasts. It alone makes CR LF of an LF, as with runc: a file
    or a pipe gets none."""
    if not os.isatty(0):
        yield
        return
    before = termios.tcgetattr(0)
    tty.setraw(0)
    modes = termios.tcgetattr(0)
    modes[1] |= termios.OPOST
    termios.tcsetattr(0, termios.TCSADRAIN, modes)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _resizing(attached: Attached) -> Iterator[None]:
    def resize(*_: object) -> None:
        with contextlib.suppress(OSError):
            attached.resize(*_size())

    before = signal.signal(signal.SIGWINCH, resize)
    resize()
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


def _size() -> tuple[int, int]:
    height, width, _, _ = struct.unpack("HHHH", fcntl.ioctl(0, termios.TIOCGWINSZ, b"\0" * 8))
    return height, width
