"""Carry bytes between the caller's streams and a container, in one poll loop.

stdin -> channel -> the container; the container's output -> channel -> stdout and stderr, byte for byte and apart.
Output is read from the channel only when what was read before is written, and stdin only when what was read before is
taken, so a slow side holds back its own direction and not the other.
Signals act from their handlers, which run even while a write waits.
"""

from __future__ import annotations

import os
import select
import signal
import stat
import sys
from collections.abc import Callable, Iterable, Mapping
from types import FrameType
from typing import TYPE_CHECKING

from jubako.cli.failure import Exit
from jubako.cli.terminal import DetachKeys, size

if TYPE_CHECKING:
    from typing import Protocol

    class Frame(Protocol):
        """One piece of what the container sends: its output, or the news of its end."""

        @property
        def kind(self) -> int: ...
        @property
        def data(self) -> bytes: ...

    class Channel(Protocol):
        """The container's side: runtime.attach.Attached."""

        @property
        def pending(self) -> bool:
            """Whether a frame is here already, so that poll would wait in vain."""

        def fileno(self) -> int: ...
        def read(self, timeout_s: float | None = None) -> Frame | None:
            """The next frame, or None when the container has closed the connection."""

        def write(self, data: bytes) -> object:
            """Give input; does not wait where poll has called the channel writable."""

        def close_stdin(self) -> object: ...
        def resize(self, height: int, width: int) -> object: ...
        def signal(self, number: int) -> object: ...


STDOUT, STDERR, EXITED = 1, 2, 3
# A frame of the attach protocol holds 32 KiB; a held-back part of the detach keys may come on top.
_CHUNK_BYTES = 32768 - 64
# A pipe that poll calls writable takes this much without blocking; more might wait. pipe(7), PIPE_BUF.
_PIPE_BYTES = 4096

# What docker does not hand on: the end of a child, and a reader of ours that left.
_KEPT = {signal.SIGCHLD, signal.SIGPIPE, signal.SIGURG, signal.SIGKILL, signal.SIGSTOP, signal.SIGWINCH}
# Sent by faults of this process itself.
_FAULTS = {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGSYS, signal.SIGABRT}


class Detached(Exception):
    """The user typed the detach keys."""


class Pump:
    """One attachment; `stdin` is whether the caller's input goes to the container, `outputs` where its output goes."""

    def __init__(
        self, channel: Channel, outputs: Mapping[int, int], *, stdin: int | None = None, keys: bytes = b""
    ) -> None:
        self.channel = channel
        self.outputs = outputs
        self.stdin = stdin
        self.keys = DetachKeys(keys)
        self.input = b""
        self.output: tuple[int, memoryview] | None = None
        self.closed = False
        self.exit_code: int | None = None

    def run(self) -> int | None:
        """Carry until the container closes the connection; returns its exit code where it said so. Raises Detached."""
        while not self.closed or self.output:
            if self.channel.pending and not self.closed and not self.output:
                self._receive()
                continue
            for fd, events in self._poll():
                if fd == self.channel.fileno():
                    self._serve_channel(events)
                elif self.output and fd == self.output[0]:
                    self._write_output()
                elif fd == self.stdin:
                    self._read_stdin()
        return self.exit_code

    def _poll(self) -> list[tuple[int, int]]:
        poll = select.poll()
        wanted = (0 if self.output else select.POLLIN) | (select.POLLOUT if self.input else 0)
        if not self.closed and wanted:
            poll.register(self.channel.fileno(), wanted)
        if self.output:
            poll.register(self.output[0], select.POLLOUT)
        if self.stdin is not None and not self.input and not self.closed:
            poll.register(self.stdin, select.POLLIN)
        return poll.poll()

    def _serve_channel(self, events: int) -> None:
        if self.input and events & (select.POLLOUT | select.POLLERR | select.POLLHUP):
            self._send_input()
        if not self.output and events & (select.POLLIN | select.POLLHUP | select.POLLERR):
            self._receive()

    def _receive(self) -> None:
        frame = self.channel.read()
        if frame is None:
            self.closed = True
        elif frame.kind == EXITED:
            self.exit_code = int.from_bytes(frame.data[:4], sys.byteorder)
        elif frame.kind in self.outputs:
            self.output = (self.outputs[frame.kind], memoryview(frame.data))
            self._write_output()

    def _write_output(self) -> None:
        while self.output:
            fd, data = self.output
            waits = self._may_wait(fd)
            try:
                data = data[os.write(fd, data if waits else data[:_PIPE_BYTES]) :]
            except BlockingIOError:
                return
            except BrokenPipeError:
                name = "stderr" if fd == self.outputs.get(STDERR) else "stdout"
                raise Exit(1, f"write /dev/{name}: broken pipe") from None
            self.output = (fd, data) if data else None
            if not waits:
                return

    def _may_wait(self, fd: int) -> bool:
        """Whether a write may take its time: no input waits meanwhile, or the file never makes us wait."""
        return self.stdin is None or stat.S_ISREG(os.fstat(fd).st_mode)

    def _read_stdin(self) -> None:
        assert self.stdin is not None
        try:
            data = os.read(self.stdin, _CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            # A terminal that hung up reads as EIO: the end of the input.
            data = b""
        if not data:
            self.stdin = None
            self._quietly(self.channel.close_stdin)
            return
        self.input, detach = self.keys.feed(data)
        if detach:
            if self.input:
                self._send_input()
            raise Detached

    def _send_input(self) -> None:
        data, self.input = self.input, b""
        self._quietly(lambda: self.channel.write(data))

    def _quietly(self, act: Callable[[], object]) -> None:
        try:
            act()
        except (BrokenPipeError, ConnectionResetError):
            # The container has closed its input or ended; what is still typed has nowhere to go.
            self.input, self.stdin = b"", None


class Signals:
    """Handlers for the time of an attachment: forward what comes, follow the window's size, or leave in good order.

    They may be set before there is a channel, so that no signal is lost while the container starts: what comes until
    `connect` is kept for it.
    """

    def __init__(self, *, proxy: bool, terminal: int | None) -> None:
        self.channel: Channel | None = None
        self.terminal = terminal
        self.proxy = proxy
        self._early: list[int] = []
        self._saved: list[tuple[int, Callable[[int, FrameType | None], object] | int | None]] = []

    def __enter__(self) -> Signals:
        if self.terminal is not None:
            self._set((signal.SIGWINCH,), self._resize)
        if self.proxy:
            self._set(forwarded(), self._forward)
        else:
            self._set((signal.SIGTERM, signal.SIGHUP), self._leave)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._saved:
            signal.signal(number, handler)

    def _set(self, numbers: Iterable[int], handler: Callable[[int, FrameType | None], object]) -> None:
        for number in numbers:
            self._saved.append((number, signal.signal(number, handler)))

    def connect(self, channel: Channel, *, redraw: bool = False) -> None:
        """From now on signals go to `channel`, and the window's size (by way of another one with `redraw`)."""
        self.channel = channel
        self._resize_to_window(redraw=redraw)
        early, self._early = self._early, []
        for number in early:
            self._forward(number, None)

    def _resize_to_window(self, *, redraw: bool = False) -> None:
        window = size(self.terminal) if self.terminal is not None else None
        if window is None or self.channel is None:
            return
        height, width = window
        if redraw:
            _quietly(self.channel.resize, height + 1, width + 1)
        _quietly(self.channel.resize, height, width)

    def _resize(self, _number: int, _frame: FrameType | None) -> None:
        self._resize_to_window()

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        if self.channel is None:
            self._early.append(number)
        else:
            _quietly(self.channel.signal, number)

    def _leave(self, number: int, _frame: FrameType | None) -> None:
        raise Exit(128 + number)


def _quietly(tell: Callable[..., object], *values: int) -> None:
    try:
        tell(*values)
    except OSError:
        # The container has just ended: its exit is on the way and says more than this would.
        return


def forwarded() -> list[int]:
    """The signals that go on to the container."""
    return sorted(number for number in signal.valid_signals() if number not in _KEPT | _FAULTS and number < 32)
