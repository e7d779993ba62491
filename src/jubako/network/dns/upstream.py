"""Asking other servers: over UDP, or over TCP where the client came so, one server after the other.

Invariant:  each question goes out by a socket and under a number of its own, and only the server that was asked is
            heard, so that nobody else can answer for it (RFC 5452). `done` is called once, with None where nobody
            answers.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

from jubako.network.dns.loop import READ, WRITE, Loop, Timer

_PORT, _PATIENCE_S, _TRIED, _MOST = 53, 2.0, 3, 512
_QUESTION_AT, _RECEIVE_BYTES = 12, 65535

Done = Callable[[bytes | None], None]


class Upstream:
    """`servers` gives the addresses to ask, as they are now."""

    def __init__(self, loop: Loop, servers: Callable[[], Sequence[str]], port: int = _PORT) -> None:
        self._loop, self._servers, self._port = loop, servers, port
        self._asking = 0

    def ask(self, message: bytes, done: Done, *, stream: bool) -> None:
        """Ask what a client has asked; the answer has the client's number."""
        if self._asking >= _MOST:
            done(None)
            return
        self._asking += 1

        def finish(found: bytes | None) -> None:
            self._asking -= 1
            done(found and message[:2] + found[2:])

        _Asking(self._loop, [(server, self._port) for server in self._servers()[:_TRIED]], message, finish, stream)


class _Asking:
    def __init__(self, loop: Loop, servers: list[tuple[str, int]], message: bytes, done: Done, stream: bool) -> None:
        self._loop, self._left, self._done, self._stream = loop, servers, done, stream
        self._question = message[_QUESTION_AT:]
        self._number = os.urandom(2)
        message = self._number + message[2:]
        self._message = len(message).to_bytes(2, "big") + message if stream else message
        self._socket: socket.socket | None = None
        self._timer: Timer | None = None
        self._next()

    def _next(self) -> None:
        """Ask the next server, or give up."""
        self._drop()
        while self._left:
            address = self._left.pop(0)
            try:
                self._begin(address)
            except OSError:
                self._drop()
                continue
            self._timer = self._loop.after(_PATIENCE_S, self._next)
            return
        self._done(None)

    def _begin(self, address: tuple[str, int]) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        kind = socket.SOCK_STREAM if self._stream else socket.SOCK_DGRAM
        self._socket = socket.socket(family, kind | socket.SOCK_NONBLOCK)
        self._got, self._rest = bytearray(), self._message
        with suppress(BlockingIOError):
            self._socket.connect(address)
        self._loop.watch(self._socket, WRITE, self._send)

    def _send(self) -> None:
        assert self._socket is not None
        try:
            self._rest = self._rest[self._socket.send(self._rest) :]
        except BlockingIOError:
            return
        except OSError:
            self._next()
            return
        if not self._rest:
            self._loop.watch(self._socket, READ, self._receive)

    def _receive(self) -> None:
        assert self._socket is not None
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._next()
            return
        if self._stream:
            if not data:
                self._next()
                return
            self._got += data
            length = int.from_bytes(self._got[:2], "big")
            if len(self._got) < 2 + max(length, 1):
                return
            data = bytes(self._got[2 : 2 + length])
        if self._is_answer(data):
            self._drop()
            self._done(data)
        elif self._stream:
            self._next()

    def _is_answer(self, data: bytes) -> bool:
        """Whether it is to what we asked; what is not is as if nothing had come."""
        if len(data) < _QUESTION_AT or data[:2] != self._number or not data[2] & 0x80:
            return False
        # The name and four bytes; a server that understood nothing repeats none of it.
        end = self._question.find(b"\0") + 5
        return data[4:6] == b"\0\0" or data[_QUESTION_AT:][:end].lower() == self._question[:end].lower()

    def _drop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._socket is not None:
            self._loop.close(self._socket)
        self._timer = self._socket = None
