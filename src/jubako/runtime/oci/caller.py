"""What the caller gets beside the container: the terminal over a console socket, and the pid in a file."""

from __future__ import annotations

import _socket
import contextlib
import os

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.linux import fd as fds_of
from jubako.spec.oci_runtime import Process


def check_console(*, terminal: bool, detached: bool, socket: str) -> None:
    """A terminal's master needs somebody who takes it: the caller in the foreground, or else whoever is at `socket`."""
    if terminal and detached and not socket:
        raise InvalidArgument("cannot allocate tty if the runtime will detach without setting console socket")
    if socket and not (terminal and detached):
        raise InvalidArgument("cannot use console socket if the runtime will not detach or allocate tty")


def fit_terminal(process: Process) -> None:
    """The program finds the size of the caller's terminal, and need not wait for it to be told."""
    from jubako.runtime.oci import terminal

    terminal.fit(process)


def connect(path: str) -> int:
    """The console socket of the caller, who gets the terminal's master over it."""
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        connection.connect(path)
    except OSError as error:
        connection.close()
        raise FailedPrecondition(f"console socket {path}: {error.strerror}") from None
    return fds_of.above_stdio(connection.detach())


def write_pid_file(path: str, pid: int) -> None:
    """Through a file of our own making, not one that others have put where all may write."""
    if path:
        temporary = os.path.join(os.path.dirname(path) or ".", f".{os.path.basename(path)}")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)  # of a command that was killed
        with open(temporary, "x") as file:
            file.write(str(pid))
        os.rename(temporary, path)
