"""Listening for questions, and what comes back to whom.

Invariant:  nobody is answered more than he asked for: what is no question is dropped, and what is not understood gets a
            header. Connections are few, short and bounded in what they hold.
Spec:       RFC 1035, 4.2; RFC 7766 (TCP).
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from jubako.network.dns import wire
from jubako.network.dns.loop import READ, WRITE, Loop, Timer
from jubako.network.dns.upstream import Upstream
from jubako.network.dns.wire import Malformed, Question, Reply

_AT_ONCE, _RECEIVE_BYTES = 64, 65535
_CONNECTIONS, _IDLE_S, _HELD_BYTES = 128, 10.0, 1 << 18

Send = Callable[[bytes], None]
Resolve = Callable[[str, int], Reply | None]
"""Answers a name and a kind of record; None where others are to be asked."""


class Server:
    """Serves two bound sockets, for datagrams and for connections. `resolve` may be replaced at any time."""

    def __init__(
        self, loop: Loop, sockets: tuple[socket.socket, socket.socket], resolve: Resolve, upstream: Upstream
    ) -> None:
        self._loop, (self._udp, self._tcp), self.resolve, self._upstream = loop, sockets, resolve, upstream
        self._connections: set[_Connection] = set()
        for each in sockets:
            each.setblocking(False)
        loop.watch(self._udp, READ, self._datagrams)
        loop.watch(self._tcp, READ, self._accept)

    def _datagrams(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                data, client = self._udp.recvfrom(_RECEIVE_BYTES)
            except OSError:
                return
            self._answer(data, partial(self._send_to, client), stream=False)

    def _send_to(self, client: tuple[str, int], data: bytes) -> None:
        with suppress(OSError):
            self._udp.sendto(data, client)

    def _accept(self) -> None:
        with suppress(OSError):
            made = self._tcp.accept()[0]
            if len(self._connections) >= _CONNECTIONS:
                made.close()
                return
            take = partial(self._answer, stream=True)
            self._connections.add(_Connection(self._loop, made, take, self._connections.discard))

    def _answer(self, data: bytes, send: Send, *, stream: bool) -> None:
        try:
            question = wire.parse(data)
        except Malformed:
            if wire.is_question(data):
                send(wire.refusal(data, wire.FORMERR))
            return
        limit = wire.STREAM_BYTES if stream else question.limit
        reply = _refused(question) or self.resolve(question.name, question.kind)
        if reply is None:
            failed = wire.answer(question, Reply(wire.SERVFAIL), limit)
            self._upstream.ask(data, lambda found: send(found or failed), stream=stream)
        elif reply.alias:
            done = partial(self._complete, question, reply, limit, send)
            self._upstream.ask(wire.ask(reply.alias, question.kind), done, stream=stream)
        else:
            send(wire.answer(question, reply, limit))

    def _complete(self, question: Question, reply: Reply, limit: int, send: Send, found: bytes | None) -> None:
        """Add what others know of an alias; a client that knows only the alias would have to ask once more."""
        try:
            code, further = wire.answers(found) if found else (wire.SERVFAIL, [])
        except Malformed:
            code, further = wire.SERVFAIL, []
        send(wire.answer(question, reply._replace(code=code, answers=[*reply.answers, *further]), limit))


def _refused(question: Question) -> Reply | None:
    if question.edns > 0:
        return Reply(wire.BADVERS)
    if question.opcode:
        return Reply(wire.NOTIMP)
    if question.group != wire.IN or question.kind in (wire.AXFR, wire.IXFR):
        return Reply(wire.REFUSED)
    return None


class _Connection:
    """One client over TCP: messages behind their length, until he goes or is idle."""

    def __init__(
        self,
        loop: Loop,
        on: socket.socket,
        take: Callable[[bytes, Send], None],
        gone: Callable[[_Connection], None],
    ) -> None:
        self._loop, self._socket, self._take, self._gone = loop, on, take, gone
        self._got, self._rest = bytearray(), bytearray()
        self._timer: Timer | None = None
        on.setblocking(False)
        loop.watch(on, READ, self._receive)
        self._stay()

    def _stay(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.after(_IDLE_S, self._close)

    def _receive(self) -> None:
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close()
            return
        self._stay()
        self._got += data
        while len(self._got) >= 2 and len(self._got) >= (end := 2 + int.from_bytes(self._got[:2], "big")):
            message = bytes(self._got[2:end])
            del self._got[:end]
            self._take(message, self._send)

    def _send(self, data: bytes) -> None:
        """Answer, perhaps later, when the client may be gone."""
        if self._socket.fileno() >= 0:
            self._rest += len(data).to_bytes(2, "big") + data
            self._flush()

    def _flush(self) -> None:
        try:
            while self._rest:
                del self._rest[: self._socket.send(self._rest)]
        except BlockingIOError:
            if len(self._rest) > _HELD_BYTES:
                self._close()
                return
        except OSError:
            self._close()
            return
        # Who does not take his answers is not heard until he does.
        if self._rest:
            self._loop.watch(self._socket, WRITE, self._flush)
        else:
            self._loop.watch(self._socket, READ, self._receive)

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._loop.close(self._socket)
        self._gone(self)
