"""The creator's side of one container (or exec): its executor, from CLONED to the end. PROTOCOL.md draws it."""

from __future__ import annotations

import contextlib
import os
import select
import struct
import time
from _thread import RLock
from collections.abc import Sequence

from jubako.errors import JubakoError, Unavailable
from jubako.linux import fd as fds_of
from jubako.runtime import opcodes as op
from jubako.runtime import program
from jubako.runtime.attach import Attached, read_packet, wait_readable
from jubako.runtime.launch import Exit

_MESSAGE = struct.Struct("=II")
_EXITED = struct.Struct("=IIIIqq")
_SIGKILL = 9
MESSAGE_BYTES_MAX = 2048


def error_of(message: bytes) -> JubakoError:
    """What a FAILED message tells."""
    from jubako.runtime import failure

    return failure.to_error(failure.decode(message))


class Handle:
    """Owned by one thread at a time, but for `signal` and `resize`, which any may call, also when it has let go.

    `attached` is there when the launch asked for it.
    """

    def __init__(self, control: int, channel: int, monitor: int, attached: Attached | None) -> None:
        self.pid = 0
        self.attached = attached
        self._monitor = monitor
        self._control = control
        self._channel = channel
        self._pidfd = -1
        self._ready = False
        self._exit: Exit | None = None
        # For a number that was closed may be another file's at once. A handler of signals may come amid either side.
        self._sending = RLock()

    def fileno(self) -> int:
        """Readable when `wait` has something to take."""
        return self._control

    def expect(self, wanted: int) -> None:
        """Take messages until `wanted` has come. Raises what the executor says failed, Unavailable when it died."""
        while not self._take(wanted):
            pass

    def _take(self, wanted: int) -> bool:
        try:
            message, fds = fds_of.receive_fds(self._control, MESSAGE_BYTES_MAX)
        except ConnectionResetError:
            return self._take(wanted)  # as in read_packet
        if not message:
            raise Unavailable("the container's monitor has died")
        kind, value = _MESSAGE.unpack_from(message)
        if kind == op.MESSAGE_FAILED:
            raise error_of(message)
        if kind in (op.MESSAGE_CLONED, op.MESSAGE_ID_MAP):
            self.pid = value
        if kind == op.MESSAGE_CLONED and fds:
            fds_of.close_all([self._pidfd])  # an exec's deputy makes way for its first process
            self._pidfd = fds.pop()
        elif kind == op.MESSAGE_EXITED:
            _, code, signal, oom, started_ns, finished_ns = _EXITED.unpack(message)
            self._exit = Exit(code, signal, bool(oom), started_ns, finished_ns)
        fds_of.close_all(fds)
        return bool(kind == wanted)

    def netns_fd(self) -> int:
        """An fd of the first process's network namespace; the caller closes it."""
        try:
            fd = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise self._reason() from None
        try:
            self.check()  # the pid may be another's by now
        except BaseException:
            os.close(fd)
            raise
        return fd

    def check(self) -> None:
        """Raise why the first process, which is before its START, has ended, if it has."""
        if self._ended():
            raise self._reason()

    def _reason(self) -> JubakoError:
        """Why the first process, which has ended, never came to START; it told so before."""
        message = read_packet(self._channel, MESSAGE_BYTES_MAX)
        return error_of(message) if message else Unavailable("the first process has died")

    def _ended(self) -> bool:
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return bool(poll.poll(0))

    def keep(self, fds: Sequence[int]) -> None:
        """Let the monitor hold `fds` as long as it lives; the caller may close its own."""
        if fds:
            fds_of.send_fds(self._control, _MESSAGE.pack(op.MESSAGE_KEEP, 0), fds)

    def tell(self, message: bytes, fds: Sequence[int]) -> None:
        """Send the monitor a message of another module's; the caller may close its own `fds`."""
        fds_of.send_fds(self._control, message, fds)

    def await_mounts(self) -> None:
        """Where the plan has hooks at its creation: return when all is mounted, and nothing is pivoted yet."""
        if not (message := read_packet(self._channel, MESSAGE_BYTES_MAX)):
            raise Unavailable("the first process has died")
        if _MESSAGE.unpack_from(message)[0] == op.MESSAGE_FAILED:
            raise error_of(message)

    def go_on(self) -> None:
        """After await_mounts, when the creator's hooks have run."""
        with contextlib.suppress(BrokenPipeError):  # it has failed; why is still to be read
            os.write(self._channel, _MESSAGE.pack(op.MESSAGE_GO_ON, 0))

    def await_creation(self) -> None:
        """Where there is no monitor: return when the first process waits for its start, and let go of it.

        Its pid must be recorded by then: until here it ends when this process does.
        """
        message = read_packet(self._channel, MESSAGE_BYTES_MAX)
        if not message or _MESSAGE.unpack_from(message)[0] == op.MESSAGE_FAILED:
            self._close()
            raise error_of(message) if message else Unavailable("the first process has died")
        with contextlib.suppress(BrokenPipeError):  # killed since; state tells
            os.write(self._channel, _MESSAGE.pack(op.MESSAGE_ACKNOWLEDGE, 0))
        self._close()

    def release(self) -> None:
        """Where there is no monitor: start the program, and let go of it when it runs."""
        try:
            self._await_program()
            with contextlib.suppress(Unavailable):  # its end: all has been said, the pid after a deputy's too
                self.expect(op.MESSAGE_EXITED)
        finally:
            self._close()

    def start(self) -> None:
        """Let the program begin; returns when it runs. When it can not, nothing is left, and the reason is raised."""
        self.begin()
        self.settle()

    def begin(self) -> None:
        """The first half of `start`: the program runs, and the monitor is about to note it."""
        try:
            self._await_program()
        except JubakoError:
            self.abandon()
            raise

    def settle(self) -> None:
        """The second half: the monitor has noted it."""
        try:
            while not self._ready:
                self._ready = self._take(op.MESSAGE_READY) or self._exit is not None
        except JubakoError:
            self.abandon()
            raise

    def _await_program(self) -> None:
        """The end of the init channel is what exec makes of it: the executor's copy is close-on-exec."""
        with contextlib.suppress(BrokenPipeError):  # it has failed before; why is still to be read
            os.write(self._channel, _MESSAGE.pack(op.MESSAGE_START, 0))
        message = read_packet(self._channel, MESSAGE_BYTES_MAX)
        os.close(self._channel)
        self._channel = -1
        if message:
            raise error_of(message)

    def resize(self, height: int, width: int) -> None:
        self._send(op.MESSAGE_RESIZE, height << 16 | width)

    def signal(self, number: int) -> None:
        self._send(op.MESSAGE_SIGNAL, number)

    def _send(self, kind: int, value: int) -> None:
        with self._sending:
            if self._control < 0:  # let go of already, by another thread
                return
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # ended; wait() will tell
                os.write(self._control, _MESSAGE.pack(kind, value))

    def wait(self, timeout_s: float | None = None) -> Exit:
        """Return how the program ended; raises TimeoutError, or Unavailable when the monitor was killed."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while self._exit is None:
            if deadline is not None:
                wait_readable(self._control, deadline - time.monotonic())
            self._take(op.MESSAGE_EXITED)
        return self._exit

    def acknowledge(self) -> None:
        """Tell the monitor, after wait(), that the cleanup is done; it ends without running the cleanup command."""
        self._send(op.MESSAGE_ACKNOWLEDGE, 0)
        self._close()

    def detach(self) -> None:
        """Leave the container to its monitor, which runs the cleanup command at its end."""
        self._close()

    def abandon(self) -> None:
        """Kill it and wait until nothing of it is left; no cleanup command runs. Idempotent; no `start` after it."""
        if self._control < 0:
            return
        if self.attached:
            self.attached.close()
        if self._channel >= 0:
            os.close(self._channel)
            self._channel = -1
        self._send(op.MESSAGE_SIGNAL, _SIGKILL)
        with contextlib.suppress(JubakoError):
            self.wait()
        self.acknowledge()
        program.reap(self._monitor)

    def _close(self) -> None:
        if self.attached:
            self.attached.close()
        with self._sending:
            fds = [self._control, self._channel, self._pidfd]
            self._control = self._channel = self._pidfd = -1
            fds_of.close_all(fds)
        program.reap()
