"""Netlink messages as bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jubako.linux.netlink import wire
from jubako.linux.netlink.wire import Message


def test_an_attribute_is_padded_to_four_bytes() -> None:
    assert wire.text(3, "lo") == b"\x07\0\x03\0lo\0\0"


@given(st.lists(st.tuples(st.integers(1, 0x3FFF), st.binary(max_size=40))))
def test_attributes_come_back_as_they_went(pairs: list[tuple[int, bytes]]) -> None:
    data = b"".join(wire.attribute(kind, payload) for kind, payload in pairs)
    assert list(wire.attributes(data)) == pairs


def test_nested_attributes_carry_the_flag_and_are_read_without_it() -> None:
    data = wire.nested(18, wire.u32(1, 7))
    assert data[3] & 0x80
    assert list(wire.attributes(data)) == [(18, wire.u32(1, 7))]


def test_several_messages_share_a_datagram() -> None:
    data = Message(16, 0, b"12345", "one").encode(1) + Message(17, 0, b"", "two").encode(2, wire.NLM_F_ACK)
    first, second = wire.messages(data)
    assert (first.type, first.sequence, first.body) == (16, 1, b"12345")
    assert (second.type, second.sequence, second.flags) == (17, 2, wire.NLM_F_ACK | wire.NLM_F_REQUEST)


@given(st.binary(max_size=200))
def test_malformed_bytes_end_the_reading_without_harm(data: bytes) -> None:
    list(wire.attributes(data))
    list(wire.messages(data))
