"""Messages of the ssh agent protocol: a length of four bytes, then a type and what belongs to it.

Spec: draft-ietf-sshm-ssh-agent, "Agent protocol messages".
"""

from __future__ import annotations

import socket
import struct

from jubako.errors import Unavailable

FAILURE = 5
REQUEST_IDENTITIES, IDENTITIES_ANSWER = 11, 12
SIGN_REQUEST, SIGN_RESPONSE = 13, 14
RSA_SHA2_256, RSA_SHA2_512 = 2, 4
MESSAGE_BYTES_MAX = 256 << 10
"""As OpenSSH's agent has it."""

_LENGTH = struct.Struct(">I")


def read_message(connection: socket.socket) -> bytes | None:
    """The next message without its length; None at the end. Raises Unavailable for what is none."""
    head = _read(connection, _LENGTH.size)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    if not 0 < length <= MESSAGE_BYTES_MAX:
        raise Unavailable(f"a message of {length} bytes is none of an ssh agent's")
    return _read(connection, length)


def write_message(connection: socket.socket, message: bytes) -> None:
    connection.sendall(_LENGTH.pack(len(message)) + message)


def string(data: bytes) -> bytes:
    return _LENGTH.pack(len(data)) + data


def number(value: int) -> bytes:
    """A positive `mpint`, RFC 4251."""
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big"))


def take_string(data: bytes) -> tuple[bytes, bytes]:
    """The string at the beginning, and the rest. ValueError where it is cut short."""
    if len(data) < _LENGTH.size or len(data) - _LENGTH.size < _LENGTH.unpack_from(data)[0]:
        raise ValueError("a string is cut short")
    end = _LENGTH.size + int(_LENGTH.unpack_from(data)[0])
    return data[_LENGTH.size : end], data[end:]


def take_count(data: bytes) -> int:
    """The uint32 at the beginning. ValueError where it is cut short."""
    if len(data) < _LENGTH.size:
        raise ValueError("a number is cut short")
    return int(_LENGTH.unpack_from(data)[0])


def _read(connection: socket.socket, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            return None
        data += piece
    return data
