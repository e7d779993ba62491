"""A client's connection to a container's streams: packets, the first byte says what the rest is.

The monitor drops a client that does not read; only the creator's own connection holds the container back instead.
Frames: executor/operations.h, FRAME_*.
"""

from __future__ import annotations

import os
import select
import struct

import msgspec

from jubako.errors import FailedPrecondition
from jubako.linux import fd as fds_of
from jubako.runtime import opcodes as op

STDOUT, STDERR, EXITED = op.FRAME_STDOUT, op.FRAME_STDERR, op.FRAME_EXITED
PAYLOAD_MAX = op.FRAME_BYTES_MAX - 1
"""What one packet can take of stdin."""


class Frame(msgspec.Struct, frozen=True):
    """`kind` is STDOUT, STDERR or EXITED (then `code` says with what)."""

    kind: int
    data: bytes

    @property
    def code(self) -> int:
        return int(struct.unpack("=I", self.data)[0])


class Attached:
    """One connection; not for two threads that read. Writing blocks while the container does not take its stdin."""

    pending = False  # packets wait in the kernel only

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        return self._fd

    def read(self, timeout_s: float | None = None) -> Frame | None:
        """The next frame, or None at the end (after EXITED, or when the monitor dropped this client).

        Raises TimeoutError.
        """
        if timeout_s is not None:
            wait_readable(self._fd, timeout_s)
        data = read_packet(self._fd, op.FRAME_BYTES_MAX)
        return Frame(data[0], data[1:]) if data else None

    def write(self, data: bytes) -> None:
        """Send to the container's stdin; BrokenPipeError when the monitor is gone."""
        view = memoryview(data)
        for start in range(0, len(view), PAYLOAD_MAX):
            self._send(op.FRAME_STDIN, bytes(view[start : start + PAYLOAD_MAX]))

    def close_stdin(self) -> None:
        self._send(op.FRAME_CLOSE_STDIN, b"")

    def resize(self, height: int, width: int) -> None:
        self._send(op.FRAME_RESIZE, struct.pack("=HH", height, width))

    def signal(self, number: int) -> None:
        self._send(op.FRAME_SIGNAL, bytes([number]))

    def _send(self, kind: int, data: bytes) -> None:
        os.write(self._fd, bytes([kind]) + data)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Attached:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(run_dir: str | os.PathLike[str]) -> Attached:
    """Connect to a running container's streams. Raises FailedPrecondition when its monitor does not listen."""
    try:
        return Attached(fds_of.connect_packet(os.path.join(os.fspath(run_dir), "attach.sock")))
    except (FileNotFoundError, ConnectionRefusedError):
        raise FailedPrecondition("the container is not running, or is run without attachable streams") from None


def read_packet(fd: int, size: int) -> bytes:
    """The next packet, b"" at the end.

    A peer that closes with packets of ours unread makes one read fail, before what it sent itself is delivered.
    """
    try:
        return os.read(fd, size)
    except ConnectionResetError:
        return os.read(fd, size)


def wait_readable(fd: int, timeout_s: float) -> None:
    """Return when `fd` is readable or at its end; raises TimeoutError."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    if not poll.poll(max(timeout_s, 0) * 1000):
        raise TimeoutError
