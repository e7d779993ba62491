"""Netlink messages as bytes: headers and attributes, nothing that talks to the kernel.

Spec: netlink(7), include/uapi/linux/netlink.h. Everything is in host byte order unless a family says otherwise, and
aligned to four bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")

NLMSG_ERROR = 2
NLMSG_DONE = 3

NLM_F_REQUEST = 0x1
NLM_F_MULTI = 0x2
NLM_F_ACK = 0x4
NLM_F_DUMP_INTR = 0x10
NLM_F_CAPPED = 0x100
NLM_F_ACK_TLVS = 0x200
NLM_F_DUMP = 0x300
NLM_F_REPLACE = 0x100
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400

NLA_F_NESTED = 0x8000
_NLA_TYPE_MASK = 0x3FFF


class Message(NamedTuple):
    """One request. `what` names it in an error; errors in `ignore` count as success."""

    type: int
    flags: int
    body: bytes
    what: str
    ignore: tuple[int, ...] = ()

    def encode(self, sequence: int, extra_flags: int = 0) -> bytes:
        """Return the message with its header, padded so that another one may follow."""
        length = HEADER.size + len(self.body)
        flags = self.flags | extra_flags | NLM_F_REQUEST
        return HEADER.pack(length, self.type, flags, sequence, 0) + self.body + _padding(length)


class Received(NamedTuple):
    """One message from the kernel; `body` starts after the netlink header."""

    type: int
    flags: int
    sequence: int
    body: bytes


def _padding(length: int) -> bytes:
    return bytes(-length % 4)


def attribute(kind: int, payload: bytes) -> bytes:
    """Return one attribute, padded."""
    length = _ATTRIBUTE.size + len(payload)
    return _ATTRIBUTE.pack(length, kind) + payload + _padding(length)


def nested(kind: int, *children: bytes) -> bytes:
    """Return an attribute that holds attributes."""
    return attribute(kind | NLA_F_NESTED, b"".join(children))


def text(kind: int, value: str) -> bytes:
    """Return a string attribute, which ends in a NUL."""
    return attribute(kind, value.encode() + b"\0")


def u32(kind: int, value: int) -> bytes:
    """Return an attribute of 32 bits in host order."""
    return attribute(kind, struct.pack("=I", value))


def u8(kind: int, value: int) -> bytes:
    """Return an attribute of one byte."""
    return attribute(kind, bytes((value,)))


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the attributes in `data` as (kind without flags, payload); stops at the first malformed one."""
    position = 0
    while position + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, position)
        if length < _ATTRIBUTE.size or position + length > len(data):
            return
        yield kind & _NLA_TYPE_MASK, data[position + _ATTRIBUTE.size : position + length]
        position += length + (-length % 4)


def messages(data: bytes) -> Iterator[Received]:
    """Yield the messages in one datagram; stops at the first malformed one."""
    position = 0
    while position + HEADER.size <= len(data):
        length, kind, flags, sequence, _port = HEADER.unpack_from(data, position)
        if length < HEADER.size or position + length > len(data):
            return
        yield Received(kind, flags, sequence, data[position + HEADER.size : position + length])
        position += length + (-length % 4)
