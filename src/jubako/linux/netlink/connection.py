"""A netlink socket: several requests in one datagram, their answers read together.

Model:        the kernel works a datagram off during sendmsg(2), in order, with one acknowledgement each. A failed
              message does not stop the ones behind it (nftables batches apart, which are all or nothing).
Concurrency:  any thread; one request is sent and answered at a time, since who reads takes all answers that are
              there. The kernel serialises the requests of all processes itself.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, NamedTuple

from jubako.linux.netlink import wire
from jubako.linux.netlink.wire import Message, Received
from jubako.linux.netns import inside

NETLINK_ROUTE = 0
NETLINK_NETFILTER = 12

_SOL_NETLINK = 270
_NETLINK_CAP_ACK = 10
_NETLINK_EXT_ACK = 11
_NLMSGERR_ATTR_MSG = 1
_IFNAMSIZ = 16
_IFREQ = struct.Struct("16s24x")
_HEADER_SIZE = wire.HEADER.size
_RECEIVE_BYTES = 1 << 17


class Acknowledgement(NamedTuple):
    """What became of one message: errno (0 = done) and the kernel's own words, if it had any."""

    errno: int
    text: str


class Connection:
    """One netlink socket; a context manager that closes it."""

    def __init__(self, family: int, netns_fd: int | None = None) -> None:
        """Open a socket of `family`, inside the network namespace `netns_fd` when one is given."""
        if netns_fd is None:
            self._socket = _open(family)
        else:
            with inside(netns_fd):
                self._socket = _open(family)
        self._sequence = 0
        self._turn = threading.Lock()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *exc: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def do(self, *requests: Message) -> None:
        """Send `requests` as one datagram; raises OSError for the first failure that is not to be ignored."""
        for request, answer in zip(requests, self.exchange(requests), strict=True):
            if answer.errno and answer.errno not in request.ignore:
                raise failure(request, answer)

    def exchange(self, requests: Sequence[Message], before: bytes = b"", after: bytes = b"") -> list[Acknowledgement]:
        """Send `requests` as one datagram, between the raw `before` and `after`, and return how each fared."""
        if not requests:
            return []
        with self._turn:
            return self._exchange(requests, before, after)

    def _exchange(self, requests: Sequence[Message], before: bytes, after: bytes) -> list[Acknowledgement]:
        first = self._sequence + 1
        self._sequence += len(requests)
        parts = [request.encode(first + index, wire.NLM_F_ACK) for index, request in enumerate(requests)]
        self._socket.send(before + b"".join(parts) + after)
        answers: dict[int, Acknowledgement] = {}
        while len(answers) < len(requests):
            for received in self._receive():
                if received.type == wire.NLMSG_ERROR and 0 <= received.sequence - first < len(requests):
                    answers.setdefault(received.sequence, _acknowledgement(received))
                elif received.type == wire.NLMSG_ERROR and received.sequence == 0:
                    # The batch as a whole was refused (no permission, no such subsystem): nobody else will answer.
                    return [_acknowledgement(received)] * len(requests)
        return [answers[first + index] for index in range(len(requests))]

    def interface(self, request: int, name: str, layout: str) -> tuple[Any, ...]:
        """Ask about an interface of this socket's namespace by ioctl, and unpack the answer; raises OSError."""
        answer = fcntl.ioctl(self._socket, request, _IFREQ.pack(name.encode()))
        return struct.unpack_from(layout, answer, _IFNAMSIZ)

    def query(self, request: Message) -> Received:
        """Send one request that asks for one object and return it; raises OSError."""
        with self._turn:
            return self._query(request)

    def _query(self, request: Message) -> Received:
        self._sequence += 1
        self._socket.send(request.encode(self._sequence))
        while True:
            for received in self._receive():
                if received.sequence != self._sequence:
                    continue
                if received.type != wire.NLMSG_ERROR:
                    return received
                raise failure(request, _acknowledgement(received))

    def dump(self, request: Message) -> list[Received]:
        """Return every object of a kind; a dump that changed under our hands is read again."""
        while True:
            found: list[Received] = []
            with self._turn:
                if self._dump(request, found):
                    return found

    def _dump(self, request: Message, found: list[Received]) -> bool:
        self._sequence += 1
        self._socket.send(request.encode(self._sequence, wire.NLM_F_DUMP))
        consistent = True
        while True:
            for received in self._receive():
                if received.sequence != self._sequence:
                    continue
                consistent = consistent and not received.flags & wire.NLM_F_DUMP_INTR
                if received.type == wire.NLMSG_DONE:
                    return consistent
                if received.type == wire.NLMSG_ERROR:
                    raise failure(request, _acknowledgement(received))
                found.append(received)

    def _receive(self) -> Iterator[Received]:
        return wire.messages(self._socket.recv(_RECEIVE_BYTES))


def failure(request: Message, answer: Acknowledgement) -> OSError:
    """Return the OSError that says what failed, with the kernel's words."""
    words = f"{os.strerror(answer.errno)} ({answer.text})" if answer.text else os.strerror(answer.errno)
    return OSError(answer.errno, words, request.what)


def _open(family: int) -> socket.socket:
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family)
    try:
        opened.setsockopt(_SOL_NETLINK, _NETLINK_CAP_ACK, 1)
        opened.setsockopt(_SOL_NETLINK, _NETLINK_EXT_ACK, 1)
        opened.bind((0, 0))
    except OSError:
        opened.close()
        raise
    return opened


def _acknowledgement(received: Received) -> Acknowledgement:
    (code,) = struct.unpack_from("=i", received.body)
    if not received.flags & wire.NLM_F_ACK_TLVS:
        return Acknowledgement(-code, "")
    # The copy of our request stands before the attributes: only its header when the answer is capped.
    (copied,) = struct.unpack_from("=I", received.body, 4)
    start = 4 + (_HEADER_SIZE if received.flags & wire.NLM_F_CAPPED else copied)
    for kind, payload in wire.attributes(received.body[start:]):
        if kind == _NLMSGERR_ATTR_MSG:
            return Acknowledgement(-code, payload.rstrip(b"\0").decode(errors="replace"))
    return Acknowledgement(-code, "")
