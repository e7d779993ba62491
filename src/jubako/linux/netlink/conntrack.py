"""Connections that the kernel remembers, as far as they must be forgotten.

A UDP client that goes on sending keeps its entry alive, with the decision that was taken for its first packet: when
a port comes to be published, or goes to another container, such clients would never notice.

Spec: include/uapi/linux/netfilter/nfnetlink_conntrack.h.
"""

from __future__ import annotations

import errno
import socket
import struct

from jubako.linux.netlink import wire
from jubako.linux.netlink.connection import Connection
from jubako.linux.netlink.wire import Message

_GET, _DELETE = 1 << 8 | 1, 1 << 8 | 2
_TUPLE_ORIG, _ID, _ZONE, _FILTER = 1, 12, 18, 25
_TUPLE_PROTO, _PROTO_NUM, _PROTO_DST_PORT = 2, 1, 3
_FILTER_ORIG_FLAGS, _FILTER_REPLY_FLAGS = 1, 2
_BY_PROTOCOL_AND_PORT = 1 << 3 | 1 << 5
_IDENTITY = (_TUPLE_ORIG, _ID, _ZONE)
_FAMILY = struct.pack("!BBH", socket.AF_INET, 0, 0)
_BATCH_SIZE = 64


def forget_udp(connection: Connection, port: int) -> None:
    """Forget the UDP connections to `port`, on any address; `connection` is of NETLINK_NETFILTER."""
    proto = wire.u8(_PROTO_NUM, socket.IPPROTO_UDP) + wire.attribute(_PROTO_DST_PORT, struct.pack("!H", port))
    body = _FAMILY + wire.nested(_TUPLE_ORIG, wire.nested(_TUPLE_PROTO, proto))
    body += wire.nested(_FILTER, wire.u32(_FILTER_ORIG_FLAGS, _BY_PROTOCOL_AND_PORT), wire.u32(_FILTER_REPLY_FLAGS, 0))
    try:
        found = connection.dump(Message(_GET, 0, body, "list connections"))
    except OSError as error:
        # Without the kernel's nf_conntrack_netlink nobody can be told to forget.
        if error.errno in (errno.EINVAL, errno.EOPNOTSUPP):
            return
        raise
    requests = [_forget(message.body) for message in found if _port(message.body) == port]
    for start in range(0, len(requests), _BATCH_SIZE):
        connection.do(*requests[start : start + _BATCH_SIZE])


def _forget(entry: bytes) -> Message:
    # With the identity, an entry that has taken its place meanwhile is left alone.
    kept = [(kind, payload) for kind, payload in wire.attributes(entry[len(_FAMILY) :]) if kind in _IDENTITY]
    body = _FAMILY + b"".join(
        wire.nested(kind, payload) if kind == _TUPLE_ORIG else wire.attribute(kind, payload) for kind, payload in kept
    )
    return Message(_DELETE, 0, body, "forget connection", (errno.ENOENT,))


def _port(entry: bytes) -> int | None:
    """The destination port of a UDP entry. A kernel before 5.8 knows no filter and lists all."""
    values = dict(wire.attributes(entry[len(_FAMILY) :]))
    parts = dict(wire.attributes(values.get(_TUPLE_ORIG, b"")))
    proto = dict(wire.attributes(parts.get(_TUPLE_PROTO, b"")))
    if proto.get(_PROTO_NUM) != bytes((socket.IPPROTO_UDP,)):
        return None
    return int.from_bytes(proto.get(_PROTO_DST_PORT, b""), "big")
