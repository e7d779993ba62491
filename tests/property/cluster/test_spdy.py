"""SPDY/3.1: frames and headers come through as they were, cut however; no bytes do more than end a connection."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from jubako.cluster.apiserver.http.spdy import frames
from jubako.cluster.apiserver.http.spdy.codec import CONTROL_LIMIT_BYTES, Decoder, encode
from jubako.cluster.apiserver.http.spdy.frames import Frame
from jubako.cluster.apiserver.http.spdy.headers import Compressor, Decompressor
from jubako.cluster.apiserver.http.spdy.session import STREAMS_MAX, Session

IDS = st.integers(0, 2**31 - 1)
NUMBERS = st.integers(0, 2**32 - 1)
BLOCKS = st.binary(max_size=200)
FRAMES: st.SearchStrategy[Frame] = st.one_of(
    st.builds(frames.SynStream, IDS, BLOCKS, st.booleans(), st.booleans()),
    st.builds(frames.SynReply, IDS, BLOCKS, st.booleans()),
    st.builds(frames.Headers, IDS, BLOCKS, st.booleans()),
    st.builds(frames.RstStream, IDS, NUMBERS),
    st.builds(frames.Settings, st.lists(st.tuples(st.integers(0, 2**24 - 1), NUMBERS), max_size=5).map(tuple)),
    st.builds(frames.Ping, NUMBERS),
    st.builds(frames.GoAway, IDS, NUMBERS),
    st.builds(frames.WindowUpdate, IDS, IDS),
    st.builds(frames.Data, IDS, st.binary(max_size=200), st.booleans()),
)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


def joined(found: list[Frame]) -> list[Frame]:
    """Data in one piece again, however it came."""
    whole: list[Frame] = []
    for frame in found:
        last = whole[-1] if whole else None
        match last, frame:
            case frames.Data(before, data, False), frames.Data(stream, more, fin) if before == stream:
                whole[-1] = frames.Data(stream, data + more, fin)
            case _:
                whole.append(frame)
    return whole


@given(st.lists(FRAMES, max_size=8), st.lists(st.integers(1, 50), max_size=30))
def test_frames_come_through(sent: list[Frame], sizes: list[int]) -> None:
    decoder = Decoder()
    wire = b"".join(encode(frame) for frame in sent)
    found = [frame for piece in cut(wire, sizes) for frame in decoder.feed(piece)]
    assert joined(found) == joined(sent)


@given(st.lists(st.dictionaries(NAMES, st.text(max_size=50), max_size=6), max_size=6))
def test_headers_come_through_one_after_another(sent: list[dict[str, str]]) -> None:
    compressor, decompressor = Compressor(), Decompressor()
    assert [decompressor.headers(compressor.block(each)) for each in sent] == sent


@given(st.lists(st.one_of(FRAMES.map(encode), st.binary(max_size=80)), max_size=20))
@settings(max_examples=300)
def test_no_bytes_do_more_than_end_the_connection(pieces: list[bytes]) -> None:
    session = Session()
    for piece in pieces:
        for _ in session.receive(piece):
            pass
        assert len(session.take()) <= 64 * (len(piece) + CONTROL_LIMIT_BYTES // 8)
        assert len(session._streams) <= STREAMS_MAX
        assert len(session._decoder._kept) <= CONTROL_LIMIT_BYTES + 8
