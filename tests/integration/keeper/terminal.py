"""A person at a terminal: a real pty, and a shell with job control where one is needed."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import termios
import time


class Terminal:
    """Runs `command` as the leader of a session on a new pty; what it writes is read into `screen`."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.master, slave = os.openpty()
        self.initial = termios.tcgetattr(slave)
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.master)
            os.login_tty(slave)
            os.execve(command[0], command, environment)
        os.close(slave)
        self.screen = ""
        self.status: int | None = None

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def expect(self, text: str, *, timeout_s: float = 15.0) -> str:
        """Wait for `text`; return what stood before it and forget both."""
        deadline = time.monotonic() + timeout_s
        while text not in self.screen:
            if time.monotonic() > deadline or not self._read(deadline - time.monotonic()):
                raise AssertionError(f"{text!r} did not come, only {self.screen!r}")
        before, _, self.screen = self.screen.partition(text)
        return before

    def _read(self, timeout_s: float) -> bool:
        if not select.select([self.master], [], [], max(timeout_s, 0))[0]:
            return False
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:  # EIO: nobody has it open
            return False
        self.screen += data.decode("utf-8", "replace")
        return bool(data)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def modes(self) -> list[object]:
        return termios.tcgetattr(self.master)

    def is_cooked(self) -> bool:
        flags = termios.tcgetattr(self.master)[3]
        return bool(flags & termios.ICANON and flags & termios.ECHO)

    def wait(self) -> int:
        """Return how the command ended, as subprocess says it."""
        while self._read(15.0):
            pass
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    def close(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.status = os.waitpid(self.pid, 0)[1]
