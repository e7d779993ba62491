"""SPDY/3.1: what kubectl sends is understood, and what nobody should send ends a stream or the connection."""

from __future__ import annotations

import struct
import zlib

import pytest
from tests.unit.cluster.apiserver.spdyclient import Client

from jubako.cluster.apiserver.http.spdy import frames
from jubako.cluster.apiserver.http.spdy.codec import CONTROL_LIMIT_BYTES, encode
from jubako.cluster.apiserver.http.spdy.frames import Leaving, Reset
from jubako.cluster.apiserver.http.spdy.headers import DICTIONARY, LIMIT_BYTES, Compressor, Decompressor
from jubako.cluster.apiserver.http.spdy.session import (
    STREAMS_MAX,
    Event,
    Finished,
    Opened,
    Received,
    Session,
    WasReset,
)
from jubako.errors import InvalidArgument

# `echo golden | kubectl exec -i p -- cat`, kubectl 1.20.2: streams for the error, stdin, stdout and stderr; then stdin,
# its end, and at the end four resets.
KUBECTL = bytes.fromhex(
    "80030001000000290000000100000000000078f9e3c6a7c26260606004a7b392a2d4c45c6851c29a0a0a6800000000ffff"
    "800300010000001700000003000000000000c22e555c92929907000000ffff"
    "800300010000001900000005000000000000c22ac5565c92925f5a02000000ffff"
    "800300010000001500000007000000000000c229975a5404000000ffff"
    "0000000300000007676f6c64656e0a"
    "0000000301000000"
    "80030003000000080000000100000005"
    "80030003000000080000000300000005"
    "80030003000000080000000500000005"
    "80030003000000080000000700000005"
)


def test_the_dictionary_is_the_specifications() -> None:
    assert len(DICTIONARY) == 1423
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2


def test_what_kubectl_sends_is_understood() -> None:
    session = Session()
    assert list(session.receive(KUBECTL)) == [
        Opened(1, {"streamtype": "error"}),
        Opened(3, {"streamtype": "stdin"}),
        Opened(5, {"streamtype": "stdout"}),
        Opened(7, {"streamtype": "stderr"}),
        Received(3, b"golden\n"),
        Finished(3),
        *(WasReset(stream) for stream in (1, 3, 5, 7)),
    ]
    assert not session.over
    client = Client()
    client.take(session.take())
    assert client.replied == [1, 3, 5, 7]


def test_what_is_sent_is_as_the_specification_has_it() -> None:
    assert encode(frames.Data(3, b"x", fin=True)) == bytes.fromhex("000000030100000178")
    assert encode(frames.RstStream(1, Reset.CANCEL)) == bytes.fromhex("80030003000000080000000100000005")
    assert encode(frames.GoAway(5, Leaving.OK)) == bytes.fromhex("80030007000000080000000500000000")
    assert encode(frames.Ping(1)) == bytes.fromhex("800300060000000400000001")
    assert encode(frames.Settings(((4, 100),))) == bytes.fromhex("800300040000000c000000010000000400000064")


class Peers:
    """A session, and a client that sees all that it sends."""

    def __init__(self, streams: int = 0) -> None:
        self.session, self.client = Session(), Client()
        for _ in range(streams):
            self.events(self.client.opening())

    def events(self, *sent: bytes) -> list[Event]:
        found = [event for data in sent for event in self.session.receive(data)]
        self.client.take(self.session.take())
        return found


def test_both_ends_finish_a_stream_and_it_is_forgotten() -> None:
    peers = Peers(streams=1)
    assert peers.session.send(1, b"answer")
    peers.session.finish(1)
    assert peers.session.has(1)
    assert peers.events(encode(frames.Data(1, b"", fin=True))) == [Finished(1)]
    assert not peers.session.has(1)
    assert peers.client.data[1] == b"answer"
    assert peers.client.finished == {1}
    assert not peers.session.send(1, b"more")
    assert peers.events(encode(frames.Data(1, b"late"))) == []
    assert peers.client.resets == {}


def test_a_ping_comes_back_and_an_answer_to_none_does_not() -> None:
    peers = Peers()
    peers.events(encode(frames.Ping(7)), encode(frames.Ping(8)))
    assert peers.client.other == [frames.Ping(7)]


def test_windows_settings_and_unknown_frames_mean_nothing() -> None:
    peers = Peers(streams=1)
    sent = (frames.WindowUpdate(1, 5), frames.Settings(((1, 2),)), frames.Unknown(77, b""))
    assert peers.events(*(encode(frame) for frame in sent)) == []
    assert not peers.session.over
    assert peers.session.has(1)


def test_a_stream_that_never_began_is_reset() -> None:
    peers = Peers(streams=1)
    assert peers.events(encode(frames.Data(9, b"x"))) == []
    assert peers.client.resets == {9: Reset.INVALID_STREAM}
    assert not peers.session.over


def test_data_after_the_end_resets_the_stream() -> None:
    peers = Peers(streams=1)
    peers.events(encode(frames.Data(1, b"", fin=True)))
    assert peers.events(encode(frames.Data(1, b"x"))) == [WasReset(1)]
    assert peers.client.resets == {1: Reset.STREAM_ALREADY_CLOSED}


def test_too_many_streams_are_refused_and_the_rest_goes_on() -> None:
    peers = Peers(streams=STREAMS_MAX)
    assert peers.events(peers.client.opening()) == []
    refused = 2 * STREAMS_MAX + 1
    assert peers.client.resets == {refused: Reset.REFUSED_STREAM}
    peers.events(encode(frames.RstStream(1, Reset.CANCEL)))
    assert peers.events(peers.client.opening(a="b")) == [Opened(refused + 2, {"a": "b"})]


def test_nothing_is_sent_on_a_stream_that_is_one_way() -> None:
    peers = Peers()
    peers.events(peers.client.opening(one_way=True))
    assert not peers.session.send(1, b"x")
    assert peers.events(encode(frames.Data(1, b"", fin=True))) == [Finished(1)]
    assert not peers.session.has(1)


def test_after_goaway_no_stream_begins_and_the_last_ends_it() -> None:
    peers = Peers(streams=1)
    peers.events(encode(frames.GoAway(0, Leaving.OK)))
    assert not peers.session.over
    assert peers.events(peers.client.opening()) == []
    assert peers.client.resets == {3: Reset.REFUSED_STREAM}
    peers.events(encode(frames.RstStream(1, Reset.CANCEL)))
    assert peers.session.over


def control(kind: int, body: bytes, version: int = 3, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return struct.pack(">HHI", 0x8000 | version, kind, size) + body


def block(plain: bytes) -> bytes:
    compressor = zlib.compressobj(zdict=DICTIONARY)
    return compressor.compress(plain) + compressor.flush(zlib.Z_SYNC_FLUSH)


def opening(of: bytes, stream: int = 1) -> bytes:
    return encode(frames.SynStream(stream, of))


@pytest.mark.parametrize(
    "hostile",
    [
        control(1, b"", version=2),
        control(1, b"", length=CONTROL_LIMIT_BYTES + 1),
        control(1, b"\0" * 9),
        control(3, b"\0" * 7),
        control(4, b"\xff\xff\xff\xff"),
        control(6, b""),
        opening(b"no zlib at all"),
        opening(block(struct.pack(">I", 1) + struct.pack(">I", 1 << 30))),
        opening(block(struct.pack(">I", 0xFFFFFFFF))),
        opening(block(b"\0" * (LIMIT_BYTES + 1))),
        opening(block(struct.pack(">III", 1, 0, 0))),
        opening(block(struct.pack(">I", 2) + 2 * (struct.pack(">I", 1) + b"a" + struct.pack(">I", 0)))),
        opening(zlib.compress(struct.pack(">I", 0))),
        opening(block(struct.pack(">I", 0)), stream=2),
        opening(block(struct.pack(">I", 0)), stream=0),
        b"GET / HTTP/1.1\r\n\xff\xff",
    ],
    ids=range(16),
)
def test_what_can_not_be_understood_ends_the_connection(hostile: bytes) -> None:
    session, client = Session(), Client()
    received = [event for event in session.receive(hostile) if isinstance(event, Opened)]
    client.take(session.take())
    if hostile.startswith(b"GET"):  # reads as data of a stream that never began, of more than ever comes
        assert client.resets
    else:
        assert client.left == Leaving.PROTOCOL_ERROR
        assert session.over
    assert received == []
    assert list(session.receive(encode(frames.Ping(1)))) == []


def test_a_stream_can_not_begin_twice() -> None:
    peers = Peers(streams=2)
    again = encode(frames.SynStream(1, Compressor().block({})))
    assert peers.events(again) == []
    assert peers.client.left == Leaving.PROTOCOL_ERROR


def test_headers_that_blow_up_are_not_unpacked() -> None:
    bomb = block(struct.pack(">I", 1) + struct.pack(">I", 1) + b"a" + struct.pack(">I", 1 << 28) + b"\0" * (1 << 24))
    assert len(bomb) < CONTROL_LIMIT_BYTES
    with pytest.raises(InvalidArgument, match="too long"):
        Decompressor().headers(bomb)
