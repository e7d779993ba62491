"""File descriptors that cross processes: sealed memory, packet sockets, fds sent along with a message.

All are close-on-exec and lie above 2, so that none is taken for a standard stream. `_socket` is the C module under
`socket`, whose Python layer costs a tenth of a cold start.
"""

from __future__ import annotations

import _socket
import errno
import fcntl
import os
import struct
from collections.abc import Iterable, Sequence

_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
_MFD_EXEC = 0x10  # since Linux 6.3, where vm.memfd_noexec may ask for it
_FDS_MAX = 250  # SCM_MAX_FD is 253


def above_stdio(fd: int) -> int:
    """Return `fd`, or a duplicate above 2 of it (and close it) when the caller's own streams were closed."""
    if fd > 2:
        return fd
    copy = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(fd)
    return copy


def duplicate(fd: int) -> int:
    """Another fd, above 2, of what `fd` is open on."""
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)


def sealed_memory(name: str, data: bytes, *, executable: bool = False) -> int:
    """An fd of memory that holds `data` and can not be changed any more."""
    fd = above_stdio(_memory(name, executable=executable))
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _memory(name: str, *, executable: bool) -> int:
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    if executable:
        try:
            return os.memfd_create(name, flags | _MFD_EXEC)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
    return os.memfd_create(name, flags)


def packet_pair() -> tuple[int, int]:
    """Both ends of a SOCK_SEQPACKET connection: a write is a message, a read takes one, b"" is the end."""
    left, right = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC)
    return above_stdio(left.detach()), above_stdio(right.detach())


def send_fds(socket_fd: int, data: bytes, fds: Sequence[int]) -> None:
    """Send `data` with `fds`; each 250 fds repeat the message."""
    with _Borrowed(socket_fd) as connection:
        for start in range(0, len(fds), _FDS_MAX):
            some = fds[start : start + _FDS_MAX]
            connection.sendmsg([data], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack(f"{len(some)}i", *some))])


def receive_fds(socket_fd: int, size: int) -> tuple[bytes, list[int]]:
    """Receive one message and the fds that came with it (close-on-exec; the caller closes them)."""
    with _Borrowed(socket_fd) as connection:
        data, ancillary, _, _ = connection.recvmsg(size, _socket.CMSG_SPACE(4 * _FDS_MAX), _socket.MSG_CMSG_CLOEXEC)
    fds: list[int] = []
    for level, kind, content in ancillary:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            fds += struct.unpack(f"{len(content) // 4}i", content[: len(content) // 4 * 4])
    return data, fds


def peer_pid(socket_fd: int) -> int:
    """The process that connected, unix(7), SO_PEERCRED."""
    with _Borrowed(socket_fd) as connection:
        credentials = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    return int(struct.unpack("=iII", credentials)[0])


def connect_packet(path: str) -> int:
    """Connect to the SOCK_SEQPACKET socket at `path`, however long: the name is taken relative to its directory."""
    return _connect(path, _socket.SOCK_SEQPACKET)


def connect_stream(path: str) -> int:
    """The same for a SOCK_STREAM socket."""
    return _connect(path, _socket.SOCK_STREAM)


def _connect(path: str, kind: int) -> int:
    directory, _, name = path.rpartition("/")
    dir_fd = os.open(directory or "/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        connection = _socket.socket(_socket.AF_UNIX, kind | _socket.SOCK_CLOEXEC)
        try:
            connection.connect(f"/proc/self/fd/{dir_fd}/{name}")
        except BaseException:
            connection.close()
            raise
        return above_stdio(connection.detach())
    finally:
        os.close(dir_fd)


def close_all(fds: Iterable[int]) -> None:
    """Close what is open of `fds`; -1 stands for none."""
    for fd in fds:
        if fd >= 0:
            os.close(fd)


class _Borrowed:
    """A socket object around an fd that stays the caller's."""

    def __init__(self, fd: int) -> None:
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET, 0, fd)

    def __enter__(self) -> _socket.socket:
        return self._socket

    def __exit__(self, *_: object) -> None:
        self._socket.detach()
