"""Connections that the kernel remembers, as far as they must be forgotten.

A UDP client that goes on sending keeps its entry alive, with the decision that was taken for its first packet: when
a port comes to be published, or goes to another container, such clients would never notice.

Spec: include/uapi/linux/netfilter/nfnetlink_conntrack.h.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable

from jubako.linux.netlink import wire
from jubako.linux.netlink.connection import Connection
from jubako.linux.netlink.wire import Message

_GET, _DELETE = 1 << 8 | 1, 1 << 8 | 2
_TUPLE_ORIG, _TUPLE_REPLY, _ID, _ZONE, _FILTER = 1, 2, 12, 18, 25
_TUPLE_IP, _TUPLE_PROTO = 1, 2
_IP_V4_SRC, _PROTO_NUM, _PROTO_SRC_PORT, _PROTO_DST_PORT = 1, 1, 2, 3
_FILTER_ORIG_FLAGS, _FILTER_REPLY_FLAGS = 1, 2
_BY_DESTINATION = 1 << 3 | 1 << 5
_BY_SOURCE = 1 << 0 | 1 << 3 | 1 << 4
_UDP = bytes((socket.IPPROTO_UDP,))
_IDENTITY = (_TUPLE_ORIG, _ID, _ZONE)
_FAMILY = struct.pack("!BBH", socket.AF_INET, 0, 0)
_BATCH_SIZE = 64


def forget_udp(connection: Connection, port: int) -> None:
    """Forget the UDP connections to `port`, on any address; `connection` is of NETLINK_NETFILTER."""
    packed = struct.pack("!H", port)
    proto = wire.attribute(_PROTO_NUM, _UDP) + wire.attribute(_PROTO_DST_PORT, packed)
    wanted = wire.nested(_TUPLE_ORIG, wire.nested(_TUPLE_PROTO, proto)) + _filter(_BY_DESTINATION, 0)
    _forget_all(connection, wanted, lambda entry: _proto(entry, _TUPLE_ORIG, _PROTO_DST_PORT) == packed)


def forget_udp_from(connection: Connection, address: int, port: int) -> None:
    """Forget the UDP connections that this address and port answer, under whatever address they were asked."""
    source, packed = struct.pack("!I", address), struct.pack("!H", port)
    proto = wire.attribute(_PROTO_NUM, _UDP) + wire.attribute(_PROTO_SRC_PORT, packed)
    ends = wire.nested(_TUPLE_IP, wire.attribute(_IP_V4_SRC, source)) + wire.nested(_TUPLE_PROTO, proto)
    wanted = wire.nested(_TUPLE_REPLY, ends) + _filter(0, _BY_SOURCE)

    def matches(entry: bytes) -> bool:
        by = _part(entry, _TUPLE_REPLY, _TUPLE_IP).get(_IP_V4_SRC)
        return by == source and _proto(entry, _TUPLE_REPLY, _PROTO_SRC_PORT) == packed

    _forget_all(connection, wanted, matches)


def _filter(orig: int, reply: int) -> bytes:
    return wire.nested(_FILTER, wire.u32(_FILTER_ORIG_FLAGS, orig), wire.u32(_FILTER_REPLY_FLAGS, reply))


def _forget_all(connection: Connection, wanted: bytes, matches: Callable[[bytes], bool]) -> None:
    try:
        found = connection.dump(Message(_GET, 0, _FAMILY + wanted, "list connections"))
    except OSError as error:
        # Without the kernel's nf_conntrack_netlink nobody can be told to forget.
        if error.errno in (errno.EINVAL, errno.EOPNOTSUPP):
            return
        raise
    # A kernel before 5.8 knows no filter and lists all.
    requests = [_forget(message.body) for message in found if matches(message.body)]
    for start in range(0, len(requests), _BATCH_SIZE):
        connection.do(*requests[start : start + _BATCH_SIZE])


def _forget(entry: bytes) -> Message:
    # With the identity, an entry that has taken its place meanwhile is left alone.
    kept = [(kind, payload) for kind, payload in wire.attributes(entry[len(_FAMILY) :]) if kind in _IDENTITY]
    body = _FAMILY + b"".join(
        wire.nested(kind, payload) if kind == _TUPLE_ORIG else wire.attribute(kind, payload) for kind, payload in kept
    )
    return Message(_DELETE, 0, body, "forget connection", (errno.ENOENT,))


def _proto(entry: bytes, direction: int, field: int) -> bytes | None:
    """A port of a UDP entry."""
    proto = _part(entry, direction, _TUPLE_PROTO)
    return proto.get(field) if proto.get(_PROTO_NUM) == _UDP else None


def _part(entry: bytes, direction: int, part: int) -> dict[int, bytes]:
    values = dict(wire.attributes(entry[len(_FAMILY) :]))
    parts = dict(wire.attributes(values.get(direction, b"")))
    return dict(wire.attributes(parts.get(part, b"")))
