from __future__ import annotations

import socket
import struct

import pytest

from jubako.cluster.client.websocket import WebSocket


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    theirs.settimeout(5)
    yield WebSocket(ours, "v5.channel.k8s.io", b""), theirs
    ours.close()
    theirs.close()


def frame(opcode: int, data: bytes, *, final: bool = True) -> bytes:
    head = bytes([(0x80 if final else 0) | opcode])
    if len(data) < 126:
        return head + bytes([len(data)]) + data
    return head + bytes([126]) + struct.pack(">H", len(data)) + data


def unmasked(data: bytes) -> tuple[int, bytes]:
    length, start = data[1] & 0x7F, 2
    if length == 126:
        length, start = struct.unpack(">H", data[2:4])[0], 4
    mask = data[start : start + 4]
    body = data[start + 4 : start + 4 + length]
    return data[0], bytes(byte ^ mask[index % 4] for index, byte in enumerate(body))


def test_frames_that_came_together_are_pending_and_come_apart(ends) -> None:
    client, server = ends
    server.sendall(frame(2, b"one") + frame(2, b"two") + frame(2, b"three")[:3])
    assert not client.pending
    assert client.receive() == b"one"
    assert client.pending
    assert client.receive() == b"two"
    assert not client.pending


def test_a_message_in_parts_is_whole_and_pings_between_are_answered(ends) -> None:
    client, server = ends
    server.sendall(frame(2, b"a", final=False) + frame(9, b"?") + frame(0, b"b" * 200))
    assert client.receive() == b"a" + b"b" * 200
    assert unmasked(server.recv(100)) == (0x8A, b"?")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535])
def test_what_is_sent_is_masked_and_whole(ends, size: int) -> None:
    client, server = ends
    message = bytes(index % 251 for index in range(size))
    client.send(message)
    data = b""
    while len(data) < 2 + 4 + size + (2 if size >= 126 else 0):
        data += server.recv(1 << 17)
    assert unmasked(data) == (0x82, message)


def test_the_end_is_none_whether_said_or_not(ends) -> None:
    client, server = ends
    server.sendall(frame(8, b"\x03\xe8"))
    assert client.receive() is None
    assert client.pending
    assert client.receive() is None


def test_a_frame_of_a_size_that_nobody_sends_is_an_error(ends) -> None:
    client, server = ends
    server.sendall(b"\x82\x7f" + struct.pack(">Q", 1 << 40))
    with pytest.raises(OSError, match="too long"):
        client.receive()
