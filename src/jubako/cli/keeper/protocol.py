"""The messages between the front and a call's process. The same numbers stand in executor/front/protocol.h."""

from __future__ import annotations

import array
import enum
import os
import socket
import struct
from collections.abc import Sequence

MAGIC = 0x314B424A
MAX_FDS = 250 + 1
HEADER = struct.Struct("=IIIIIIQQ")
RIGHTS_SIZE = socket.CMSG_SPACE(4 * MAX_FDS)
REPLY = struct.Struct("=Ii")


class ReplyKind(enum.IntEnum):
    HELLO = 0
    ACCEPTED = 1
    COLD = 2
    EXITED = 3
    KILLED = 4
    STOP = 5
    SPAWN = 6


class Request:
    """One call as the front sent it; its fds are this process's own."""

    __slots__ = ("arguments", "blocked", "cwd", "environment", "fds", "traits")

    def __init__(self, header: tuple[int, ...], body: bytes, fds: list[int]) -> None:
        _magic, _size, argc, envc, fd_count, _padding, self.blocked, self.traits = header
        targets = struct.unpack_from(f"={fd_count}i", body)
        strings = body[4 * fd_count :].split(b"\0")
        if len(fds) != fd_count + 1 or len(strings) != argc + envc + 1:
            raise ValueError("a request that does not add up")
        self.cwd = fds[0]
        self.fds = dict(zip(targets, fds[1:], strict=True))
        self.arguments = [os.fsdecode(text) for text in strings[1:argc]]
        self.environment = strings[argc : argc + envc]


def receive_request(connection: socket.socket) -> Request:
    """Read one whole request; EOFError when the front went away first, ValueError when it is not one."""
    data, rights, _flags, _address = connection.recvmsg(1 << 16, RIGHTS_SIZE, socket.MSG_CMSG_CLOEXEC)
    fds = array.array("i")
    for _level, _kind, content in rights:
        fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
    data = _complete(connection, data, HEADER.size)
    header = HEADER.unpack_from(data)
    if header[0] != MAGIC:
        raise ValueError("a request of another protocol")
    data = _complete(connection, data, HEADER.size + header[1])
    return Request(header, data[HEADER.size :], list(fds))


def _complete(connection: socket.socket, data: bytes, size: int) -> bytes:
    if len(data) >= size:
        return data
    whole = bytearray(data)
    while len(whole) < size:
        piece = connection.recv(min(1 << 20, size - len(whole)))
        if not piece:
            raise EOFError("the front went away")
        whole += piece
    return bytes(whole)


def send_reply(connection: int, kind: ReplyKind, value: int, *, fds: Sequence[int] = ()) -> bool:
    """Send one reply, False when nobody is there to read it. `connection` and `fds` stay open."""
    message = REPLY.pack(kind, value)
    end = socket.socket(fileno=connection)
    try:
        if fds:
            socket.send_fds(end, [message], fds, socket.MSG_NOSIGNAL)
        else:
            end.send(message, socket.MSG_NOSIGNAL)
    except OSError:
        return False
    finally:
        end.detach()
    return True
