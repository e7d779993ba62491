from __future__ import annotations

import os
import re
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jubako.cli.keeper import front, protocol
from jubako.cli.keeper.protocol import HEADER, MAGIC, ReplyKind, receive_request, send_reply

TABLE = (Path(__file__).parents[4] / "executor" / "front" / "protocol.h").read_text()
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    here, there = socket.socketpair()
    here.settimeout(60)
    with here, there:
        yield here, there


def message(arguments: list[bytes], environment: list[bytes], targets: list[int], **changes: int) -> bytes:
    body = struct.pack(f"={len(targets)}i", *targets) + b"".join(text + b"\0" for text in arguments + environment)
    fields = {"magic": MAGIC, "size": len(body), "argc": len(arguments), "envc": len(environment)}
    fields |= {"fds": len(targets), "padding": 0, "blocked": 5, "traits": 7} | changes
    return HEADER.pack(*fields.values()) + body


def fds(count: int) -> list[int]:
    return [os.open("/dev/null", os.O_RDONLY) for _ in range(count)]


def test_numbers_are_those_of_the_header() -> None:
    assert int(one(r"PROTOCOL_MAGIC (0x[0-9a-f]+)u"), 16) == MAGIC
    assert int(one(r"PROTOCOL_MAX_FDS (\d+)")) + 1 == protocol.MAX_FDS
    kinds = {name: int(value) for name, value in re.findall(r"REPLY_(\w+) = (\d+),", TABLE)}
    assert kinds == {kind.name: kind.value for kind in ReplyKind}


def test_structs_have_the_sizes_of_the_header() -> None:
    sizes = {"uint32_t": 4, "int32_t": 4, "uint64_t": 8}
    layouts = {"request": HEADER, "reply": protocol.REPLY, "spawn": front.ORDER, "answer": front.ANSWER}
    for name, layout in layouts.items():
        members = re.findall(r"^\t(u?int\d+_t) \w+;", one(rf"struct {name} {{(.*?)}};"), re.MULTILINE)
        assert layout.size == sum(sizes[member] for member in members)


def test_a_request_arrives_as_it_was_sent(pair: Pair) -> None:
    here, there = pair
    data = message([b"jubako", b"a b", b"\xff"], [b"X=1", b"Y=\n"], [0, 1, 9])
    sent = fds(4)
    socket.send_fds(there, [data], sent)
    request = receive_request(here)
    assert request.arguments == ["a b", os.fsdecode(b"\xff")]
    assert request.environment == [b"X=1", b"Y=\n"]
    assert list(request.fds) == [0, 1, 9]
    assert (request.blocked, request.traits) == (5, 7)
    for fd in (*sent, request.cwd, *request.fds.values()):
        os.close(fd)


def test_a_request_in_pieces_is_put_together(pair: Pair) -> None:
    here, there = pair
    data = message([b"jubako"], [b"BIG=" + b"x" * 3_000_000], [0])

    def send() -> None:
        socket.send_fds(there, [data[:10]], fds(2))
        there.sendall(data[10:])

    sender = threading.Thread(target=send)
    sender.start()
    request = receive_request(here)
    sender.join()
    assert len(request.environment[0]) == 3_000_004


def test_a_front_that_goes_away_is_the_end(pair: Pair) -> None:
    here, there = pair
    socket.send_fds(there, [message([b"jubako"], [], [0])[:-1]], fds(2))
    there.close()
    with pytest.raises(EOFError):
        receive_request(here)


@pytest.mark.parametrize(
    "data",
    [
        message([b"jubako"], [], [0], magic=1),
        message([b"jubako"], [], [0], argc=2),
        message([b"jubako"], [], [0], envc=1),
        message([b"jubako"], [], [0, 1]),
    ],
    ids=["magic", "argc", "envc", "fds"],
)
def test_a_request_that_does_not_add_up_is_refused(pair: Pair, data: bytes) -> None:
    here, there = pair
    socket.send_fds(there, [data], fds(2))
    with pytest.raises(ValueError, match="request"):
        receive_request(here)


def test_a_reply_to_nobody_says_so(pair: Pair) -> None:
    here, there = pair
    assert send_reply(here.fileno(), ReplyKind.EXITED, 3)
    assert there.recv(8) == struct.pack("=Ii", 3, 3)
    there.close()
    assert not send_reply(here.fileno(), ReplyKind.EXITED, 3)
    here.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)  # still open


def one(pattern: str) -> str:
    found = re.search(pattern, TABLE, re.DOTALL)
    assert found is not None
    return found[1]
