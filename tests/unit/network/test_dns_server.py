"""The name server on sockets of loopback: what it knows, and what it asks another for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import dnslib
import pytest

from jubako.network.dns import wire
from jubako.network.dns.loop import Loop
from jubako.network.dns.server import Server
from jubako.network.dns.upstream import Upstream
from jubako.network.dns.wire import Record, Reply

PATIENCE_S = 5.0
KNOWN = [Record("web", wire.A, 5, (bytes((10, 0, 0, n)),)) for n in range(100)]


def resolve(name: str, kind: int) -> Reply | None:
    if name == "web":
        return Reply(answers=KNOWN)
    if name == "away":
        return Reply(answers=[Record("away", wire.CNAME, 5, ("far.example",))], alias="far.example")
    return None


class Other:
    """Another name server: answers 192.0.2.7 to everything, over UDP and TCP. `lies` is said before each answer."""

    def __init__(self, udp: socket.socket, tcp: socket.socket) -> None:
        self.udp, self.tcp, self.lies = udp, tcp, False

    def _answer(self, data: bytes) -> bytes:
        asked = dnslib.DNSRecord.parse(data)
        reply = asked.reply()
        reply.add_answer(dnslib.RR(asked.q.qname, wire.A, rdata=dnslib.A("192.0.2.7"), ttl=60))
        return bytes(reply.pack())

    def serve_udp(self) -> None:
        while True:
            data, client = self.udp.recvfrom(4096)
            if not data:
                return
            answer = self._answer(data)
            if self.lies:
                self.udp.sendto(bytes((answer[0] ^ 1,)) + answer[1:], client)
                self.udp.sendto(self._answer(bytes(wire.ask("other.example", wire.A))), client)
            self.udp.sendto(answer, client)

    def serve_tcp(self) -> None:
        while True:
            made, _ = self.tcp.accept()
            with made:
                made.settimeout(PATIENCE_S)
                data = made.recv(4096)
                if not data:
                    return
                answer = self._answer(data[2:])
                for byte in len(answer).to_bytes(2, "big") + answer:
                    made.sendall(bytes((byte,)))


def pair() -> tuple[socket.socket, socket.socket]:
    udp, tcp = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
    tcp.bind(("127.0.0.1", 0))
    udp.bind(tcp.getsockname())
    tcp.listen()
    return udp, tcp


class Site:
    def __init__(self, other: Other, server: tuple[str, int]) -> None:
        self.other, self.server = other, server
        self.upstreams = ["127.0.0.1"]

    def ask(self, data: bytes) -> dnslib.DNSRecord:
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE_S)
            client.sendto(data, self.server)
            return dnslib.DNSRecord.parse(client.recv(4096))

    def stream(self, *messages: bytes) -> list[dnslib.DNSRecord]:
        with socket.create_connection(self.server, PATIENCE_S) as client, client.makefile("rb") as file:
            client.sendall(b"".join(len(each).to_bytes(2, "big") + each for each in messages))
            found = [file.read(int.from_bytes(file.read(2), "big")) for _ in messages]
        return [dnslib.DNSRecord.parse(each) for each in found]


@pytest.fixture
def site() -> Iterator[Site]:
    with ExitStack() as stack:
        listening, theirs = pair(), pair()
        for each in (*listening, *theirs):
            stack.callback(each.close)
        found = Site(Other(*theirs), listening[0].getsockname())
        loop = Loop()
        Server(loop, listening, resolve, Upstream(loop, lambda: found.upstreams, theirs[0].getsockname()[1]))
        wake, woken = socket.socketpair()
        loop.watch(woken, 1, loop.end)
        threads = [threading.Thread(target=each) for each in (loop.run, found.other.serve_udp, found.other.serve_tcp)]
        for thread in threads:
            thread.start()
        yield found
        wake.send(b"x")
        with socket.socket(type=socket.SOCK_DGRAM) as end, socket.create_connection(theirs[1].getsockname()):
            end.sendto(b"", theirs[0].getsockname())
        for thread in threads:
            thread.join()
        wake.close()
        woken.close()


def asked(name: str) -> bytes:
    return bytes(dnslib.DNSRecord.question(name).pack())


def texts(record: dnslib.DNSRecord) -> list[str]:
    return [str(each.rdata) for each in record.rr]


def test_what_is_cut_off_over_udp_is_whole_over_tcp(site: Site) -> None:
    assert site.ask(asked("web")).header.tc == 1
    (whole,) = site.stream(asked("web"))
    assert len(whole.rr) == 100


def test_several_questions_of_one_connection_are_answered(site: Site) -> None:
    found = site.stream(asked("web"), asked("a.example"), asked("web"))
    assert sorted(len(each.rr) for each in found) == [1, 100, 100]


def test_others_are_asked_for_what_is_not_known(site: Site) -> None:
    data = asked("Far.Example")
    found = site.ask(data)
    assert (found.header.id, texts(found)) == (dnslib.DNSRecord.parse(data).header.id, ["192.0.2.7"])
    assert [texts(each) for each in site.stream(data)] == [["192.0.2.7"]]


def test_an_alias_comes_with_what_others_know_of_it(site: Site) -> None:
    assert texts(site.ask(asked("away"))) == ["far.example.", "192.0.2.7"]


def test_answers_that_nobody_asked_for_are_not_heard(site: Site) -> None:
    site.other.lies = True
    found = site.ask(asked("far.example"))
    assert (str(found.q.qname), texts(found)) == ("far.example.", ["192.0.2.7"])


def test_the_next_is_asked_where_one_is_away(site: Site) -> None:
    site.upstreams = ["127.0.0.99", "127.0.0.1"]
    assert texts(site.ask(asked("far.example"))) == ["192.0.2.7"]


def test_where_nobody_is_there_to_ask_the_client_is_told_at_once(site: Site) -> None:
    site.upstreams = []
    assert site.ask(asked("far.example")).header.rcode == wire.SERVFAIL
    found = site.ask(asked("away"))
    assert (found.header.rcode, texts(found)) == (wire.SERVFAIL, ["far.example."])


def test_what_is_not_understood_is_told_so(site: Site) -> None:
    assert site.ask(b"\0\7" + bytes(10)).header.rcode == wire.FORMERR
    status = bytearray(asked("web"))
    status[2] |= 0x10
    assert site.ask(bytes(status)).header.rcode == wire.NOTIMP
    for kind in ("AXFR", "IXFR"):
        assert site.ask(bytes(dnslib.DNSRecord.question("web", kind).pack())).header.rcode == wire.REFUSED
    chaos = bytes(dnslib.DNSRecord.question("version.bind", "TXT", "CH").pack())
    assert site.ask(chaos).header.rcode == wire.REFUSED


def test_answers_and_noise_are_left_without_a_word(site: Site) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(0.3)
        for data in (b"", b"x", bytes(11), b"\0\0\x80" + bytes(30)):
            client.sendto(data, site.server)
        with pytest.raises(TimeoutError):
            client.recv(4096)
    assert site.ask(asked("web")).header.rcode == wire.NOERROR


def test_who_sends_nothing_or_half_a_message_holds_up_nobody(site: Site) -> None:
    idle = [socket.create_connection(site.server) for _ in range(100)]
    for each in idle:
        each.sendall(b"\xff\xff\0")
    assert len(site.stream(asked("web"))[0].rr) == 100
    for each in idle:
        each.close()
