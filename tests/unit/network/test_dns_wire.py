"""DNS messages, with dnslib as the judge of what was written."""

from __future__ import annotations

import dnslib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jubako.network.dns import wire
from jubako.network.dns.wire import Malformed, Record, Reply

WEB = Record("web.svc", wire.A, 5, (b"\x0a\0\0\x01",))


def question(name: str = "Web.svc", kind: str = "A", *, udp: int = 0) -> bytes:
    asked = dnslib.DNSRecord.question(name, kind)
    if udp:
        asked.add_ar(dnslib.EDNS0(udp_len=udp))
    return bytes(asked.pack())


def answered(asked: bytes, reply: Reply, limit: int = 0) -> dnslib.DNSRecord:
    parsed = wire.parse(asked)
    packed = wire.answer(parsed, reply, limit or parsed.limit)
    assert len(packed) <= (limit or parsed.limit)
    return dnslib.DNSRecord.parse(packed)


def test_a_question_is_read_and_its_letters_are_kept() -> None:
    asked = question()
    found = wire.parse(asked)
    assert (found.name, found.kind, found.group, found.edns, found.limit) == ("web.svc", wire.A, wire.IN, -1, 512)
    back = answered(asked, Reply(answers=[WEB]))
    assert str(back.q.qname) == "Web.svc."
    assert (str(back.a.rname), str(back.a.rdata), back.a.ttl) == ("Web.svc.", "10.0.0.1", 5)
    assert (back.header.id, back.header.qr, back.header.aa, back.header.rd, back.header.ra) == (
        dnslib.DNSRecord.parse(asked).header.id, 1, 1, 1, 1,
    )  # fmt: skip


def test_each_kind_of_record_is_as_its_standard_says() -> None:
    records = [
        WEB,
        Record("web.svc", wire.CNAME, 5, ("other.svc",)),
        Record("_a._tcp.web.svc", wire.SRV, 5, (b"\0\1\0\2\0\3", "web.svc")),
        Record("1.0.0.10.in-addr.arpa", wire.PTR, 5, ("web.svc",)),
        Record("svc", wire.TXT, 5, (b"\x051.1.0",)),
    ]
    authority = [Record("svc", wire.SOA, 5, ("ns.svc", "me.svc", bytes(19) + b"\x07"))]
    back = answered(question(), Reply(answers=records, authority=authority, additional=[WEB]))
    assert [str(each.rdata).lower() for each in back.rr] == [
        "10.0.0.1", "other.svc.", "1 2 3 web.svc.", "web.svc.", '"1.1.0"',
    ]  # fmt: skip
    assert str(back.auth[0].rdata) == "ns.svc. me.svc. 0 0 0 0 7"
    assert str(back.ar[0].rdata) == "10.0.0.1"


def test_what_does_not_fit_is_left_out_and_said_to_be() -> None:
    many = [Record("web.svc", wire.A, 5, (bytes((10, 0, 0, n)),)) for n in range(100)]
    back = answered(question(), Reply(answers=many))
    assert back.header.tc == 1
    assert 0 < len(back.rr) < 100
    assert len(answered(question(udp=4096), Reply(answers=many)).rr) > len(back.rr)
    whole = answered(question(), Reply(answers=many), limit=wire.STREAM_BYTES)
    assert (whole.header.tc, len(whole.rr)) == (0, 100)
    # What nobody asked for may be missing without a word.
    further = answered(question(), Reply(answers=[WEB], additional=many))
    assert (further.header.tc, len(further.rr)) == (0, 1)


def test_edns_is_answered_with_edns() -> None:
    back = answered(question(udp=1400), Reply(wire.BADVERS))
    assert back.ar[0].rtype == wire.OPT
    assert (back.ar[0].ttl >> 24) << 4 | back.header.rcode == wire.BADVERS
    assert wire.parse(question(udp=1400)).limit == 1232
    assert wire.parse(question(udp=100)).limit == 512
    assert not answered(question(), Reply()).ar


def test_answers_of_others_are_read_with_their_pointers() -> None:
    theirs = dnslib.DNSRecord.parse(question("a.example")).reply()
    theirs.add_answer(*dnslib.RR.fromZone("a.example 60 CNAME b.example\nb.example 60 A 192.0.2.1\nb.example 60 TXT x"))
    code, found = wire.answers(bytes(theirs.pack()))
    assert code == wire.NOERROR
    assert found == [
        Record("a.example", wire.CNAME, 60, ("b.example",)),
        Record("b.example", wire.A, 60, (b"\xc0\0\2\1",)),
    ]


def test_a_question_to_others_is_one_that_they_understand() -> None:
    asked = dnslib.DNSRecord.parse(wire.ask("a.example", wire.AAAA))
    assert (str(asked.q.qname), asked.q.qtype, asked.header.rd) == ("a.example.", wire.AAAA, 1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 11,
        b"\0\0\x80\0" + b"\0\1" + b"\0" * 6 + b"\0\0\1\0\1",  # an answer
        b"\0" * 12,  # without a question
        b"\0\0\0\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1",  # a pointer to itself
        b"\0\0\0\0\0\1\0\0\0\0\0\0\x3fab",  # a label that is cut off
        b"\0\0\0\0\0\1\0\0\0\0\0\0" + b"\x01a" * 140 + b"\0\0\1\0\1",  # too long
        b"\0\0\0\0\0\1\0\0\0\0\0\0\x80\0\0\1\0\1",  # a label of no kind
        b"\0\0\0\0\0\1\0\0\0\0\0\1\0\0\1\0\1\0\0\x29",  # EDNS that is cut off
    ],
)
def test_what_is_no_question_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        wire.parse(data)


def test_a_dot_within_a_label_is_none_between_labels() -> None:
    data = b"\0\0\0\0\0\1\0\0\0\0\0\0\x0aweb.svc.de\0\0\1\0\1"
    assert wire.parse(data).name == "web\\.svc\\.de"
    assert wire.answer(wire.parse(data), Reply(), 512)[12:25] == data[12:25]


@given(st.binary(max_size=600))
def test_reading_ends_whatever_bytes_come(data: bytes) -> None:
    for read in (wire.parse, wire.answers):
        try:
            read(data)
        except Malformed:
            continue


@given(st.lists(st.binary(min_size=1, max_size=8), min_size=1, max_size=30))
def test_pointers_upon_pointers_end(parts: list[bytes]) -> None:
    body = b"".join(len(part).to_bytes(1, "big") + part + b"\xc0\x0c" for part in parts)
    try:
        wire.answers(b"\0\0\x80\0\0\1\0\7\0\0\0\0" + body)
    except Malformed:
        return


LABEL = st.from_regex(r"[a-z0-9_-]{1,20}", fullmatch=True)
NAME = st.lists(LABEL, min_size=1, max_size=6).map(".".join)


@given(NAME, st.lists(st.tuples(NAME, NAME), max_size=12))
def test_names_are_read_by_others_as_they_were_written(asked: str, records: list[tuple[str, str]]) -> None:
    reply = Reply(answers=[Record(owner, wire.PTR, 5, (target,)) for owner, target in records])
    back = answered(question(asked), reply, limit=wire.STREAM_BYTES)
    assert [(str(each.rname), str(each.rdata)) for each in back.rr] == [(f"{a}.", f"{b}.") for a, b in records]
