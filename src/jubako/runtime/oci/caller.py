"""What the caller gets beside the container: the terminal over a console socket, the pid in a file, a pidfd."""

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


def connect(path: str, name: str = "console socket") -> int:
    """A socket of the caller's, who gets an fd over it: the terminal's master."""
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        connection.connect(path)
    except OSError as error:
        connection.close()
        raise FailedPrecondition(f"{name} {path}: {error.strerror}") from None
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


def tell(pid: int, *, pid_file: str, pidfd_socket: str) -> None:
    """Whoever asked for it learns of the process that has been made."""
    if pidfd_socket:
        fds = [connect(pidfd_socket, "pidfd socket")]
        try:
            fds.append(os.pidfd_open(pid))
            fds_of.send_fds(fds[0], b"pidfd", fds[1:])
        finally:
            fds_of.close_all(fds)
    write_pid_file(pid_file, pid)
