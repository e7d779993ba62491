"""WebSockets, as a client of RFC 6455: blocking, binary messages, no extensions.

Invariant: what is read from the socket is read whole records at a time, so that nothing waits within TLS that poll
           does not see; frames that came together wait in `pending`.
"""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import ssl
import struct
from collections.abc import Mapping, Sequence

import msgspec

from jubako.cluster.client.failure import Refused
from jubako.cluster.types.document import JSON, Object, mapping

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUED, _BINARY, _CLOSE, _PING, _PONG = 0, 2, 8, 9, 10
_CONNECT_S, _HEAD_LIMIT, _MESSAGE_LIMIT = 10.0, 1 << 16, 1 << 24
# TLS gives one record of at most 16 KiB at a time; asked for more, nothing of it is left behind.
_READ_BYTES = 1 << 16
_SEND_BUFFER_BYTES = 1 << 18


class WebSocket:
    """An open connection; `protocol` is what the server has chosen."""

    def __init__(self, opened: socket.socket, protocol: str, rest: bytes) -> None:
        self._socket, self.protocol, self._bytes = opened, protocol, bytearray(rest)
        self._partial = bytearray()
        self._closed = False

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def pending(self) -> bool:
        """Whether a message can be had without the socket."""
        return self._closed or self._frame_bytes() is not None

    def receive(self) -> bytes | None:
        """Return the next message, or None at the end. Raises OSError."""
        while not self._closed:
            if (frame := self._take()) is None:
                data = self._socket.recv(_READ_BYTES)
                self._closed = not data
                self._bytes += data
            elif (message := self._heard(*frame)) is not None:
                return message
        return None

    def send(self, message: bytes) -> None:
        self._send(_BINARY, message)

    def close(self) -> None:
        """Say goodbye as far as that is possible, and let go of the socket."""
        try:
            self._send(_CLOSE, struct.pack(">H", 1000))
        except OSError:
            pass  # the other side has gone already
        finally:
            self._socket.close()

    def _send(self, opcode: int, data: bytes) -> None:
        length = len(data)
        head = bytes([0x80 | opcode, 0x80 | (length if length < 126 else 126 if length < 1 << 16 else 127)])
        head += b"" if length < 126 else struct.pack(">H" if length < 1 << 16 else ">Q", length)
        mask = os.urandom(4)
        self._socket.sendall(head + mask + _masked(data, mask))

    def _heard(self, opcode: int, final: bool, data: bytes) -> bytes | None:
        """Answer what is about the connection; return a message that is complete."""
        if opcode == _PING:
            self._send(_PONG, data)
        elif opcode == _CLOSE:
            self._closed = True
        elif opcode in (_CONTINUED, _BINARY, 1):
            self._partial += data
            if len(self._partial) > _MESSAGE_LIMIT:
                raise OSError("a message of the server is too long")
            if final:
                whole, self._partial = bytes(self._partial), bytearray()
                return whole
        return None

    def _take(self) -> tuple[int, bool, bytes] | None:
        sizes = self._frame_bytes()
        if sizes is None:
            return None
        head, length = sizes
        first, data = self._bytes[0], bytes(self._bytes[head : head + length])
        del self._bytes[: head + length]
        return first & 0x0F, bool(first & 0x80), data

    def _frame_bytes(self) -> tuple[int, int] | None:
        """Return the sizes of the head and the body of a frame that is there whole."""
        head = 2
        if len(self._bytes) < head:
            return None
        length = self._bytes[1] & 0x7F
        if length >= 126:
            head += 2 if length == 126 else 8
            if len(self._bytes) < head:
                return None
            length = int.from_bytes(self._bytes[2:head], "big")
        if length > _MESSAGE_LIMIT:
            raise OSError("a frame of the server is too long")
        return (head, length) if len(self._bytes) >= head + length else None


def _masked(data: bytes, mask: bytes) -> bytes:
    repeated = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(data), "big")


def connect(address: tuple[str, int], context: ssl.SSLContext | None, name: JSON) -> socket.socket:
    """Return a connection to the server, over TLS with a context. Raises OSError."""
    plain = socket.create_connection(address, timeout=_CONNECT_S)
    # poll calls a socket writable with a third of this free: then a chunk of input goes in without waiting.
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    if context is None:
        return plain
    try:
        return context.wrap_socket(plain, server_hostname=name if isinstance(name, str) else address[0])
    except BaseException:
        plain.close()
        raise


def handshake(opened: socket.socket, path: str, headers: Mapping[str, str], protocols: Sequence[str]) -> WebSocket:
    """Ask for a WebSocket on a connection. Raises Refused, OSError."""
    key = base64.b64encode(os.urandom(16)).decode()
    asked = {
        **headers,
        "Host": "{}:{}".format(*opened.getpeername()[:2]),
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Protocol": ", ".join(protocols),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in asked.items())
    opened.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
    code, given, rest = _head(opened)
    if code != 101:
        raise Refused(_status(opened, code, given, rest))
    expected = base64.b64encode(hashlib.sha1((key + _MAGIC).encode(), usedforsecurity=False).digest()).decode()
    if given.get("sec-websocket-accept") != expected:
        raise OSError("the server's answer is of no WebSocket")
    opened.settimeout(None)
    return WebSocket(opened, given.get("sec-websocket-protocol", ""), rest)


def _head(opened: socket.socket) -> tuple[int, dict[str, str], bytes]:
    data = bytearray()
    while b"\r\n\r\n" not in data:
        piece = opened.recv(_READ_BYTES)
        data += piece
        if not piece or len(data) > _HEAD_LIMIT:
            raise OSError("the server has closed the connection")
    head, _, rest = bytes(data).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return int(first.split()[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}, rest


def _status(opened: socket.socket, code: int, given: Mapping[str, str], rest: bytes) -> Object:
    """Return the Status in the body of a refusal."""
    wanted = min(int(given.get("content-length", "0")), _HEAD_LIMIT)
    while len(rest) < wanted and (piece := opened.recv(_READ_BYTES)):
        rest += piece
    try:
        return mapping(msgspec.json.decode(rest))
    except msgspec.MsgspecError:
        return {"kind": "Status", "apiVersion": "v1", "message": rest.decode(errors="replace"), "code": code}
