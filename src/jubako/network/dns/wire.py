"""DNS messages: questions to read, answers to read and write.

Model:      names are lower case, without the last dot; a dot within a label is "\\.", so that it ends no label. The
            data of a record are parts: bytes as they are, and texts, which are names.
Invariant:  whatever bytes come, reading ends: in a question no pointers are followed, elsewhere only backwards.
Spec:       RFC 1035, 4; RFC 2782 (SRV); RFC 6891 (EDNS).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

A, NS, CNAME, SOA, PTR, TXT, AAAA, SRV, OPT, IXFR, AXFR = 1, 2, 5, 6, 12, 16, 28, 33, 41, 251, 252
IN = 1
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 3, 4, 5, 16
_HEADER, _QUESTION, _RECORD = struct.Struct("!6H"), struct.Struct("!2H"), struct.Struct("!2HIH")
_RESPONSE, _OPCODE, _AUTHORITATIVE, _TRUNCATED, _DESIRED, _AVAILABLE = 0x8000, 0x7800, 0x400, 0x200, 0x100, 0x80
_PLAIN_BYTES, _EDNS_BYTES, STREAM_BYTES = 512, 1232, 65535
_NAME_BYTES = 255


class Malformed(ValueError):
    """These bytes are no message, or not one that can be answered."""


class Question(NamedTuple):
    """`edns` is the version that was offered, -1 for none; `limit` how long an answer may be; `asked` the question as
    it came, whose letters the answer repeats."""

    id: int
    opcode: int
    wishes: int
    name: str
    kind: int
    group: int
    edns: int
    limit: int
    asked: bytes


class Record(NamedTuple):
    owner: str
    kind: int
    ttl: int
    data: tuple[bytes | str, ...]


class Reply(NamedTuple):
    """`alias` is a name whose records belong to the answers, and which others are to be asked for."""

    code: int = NOERROR
    answers: Sequence[Record] = ()
    authority: Sequence[Record] = ()
    additional: Sequence[Record] = ()
    alias: str = ""


def parse(data: bytes) -> Question:
    """Read a question. Raises Malformed."""
    if len(data) < _HEADER.size:
        raise Malformed("no header")
    number, flags, questions, answers, authorities, additions = _HEADER.unpack_from(data)
    if flags & _RESPONSE:
        raise Malformed("an answer")
    if (questions, answers, authorities) != (1, 0, 0):
        raise Malformed("not one question")
    name, end = _name(data, _HEADER.size, follow=False)
    try:
        kind, group = _QUESTION.unpack_from(data, end)
        edns, size = _offered(data, end + _QUESTION.size) if additions else (-1, 0)
    except struct.error:
        raise Malformed("cut off") from None
    limit = max(_PLAIN_BYTES, min(size, _EDNS_BYTES))
    asked = data[_HEADER.size : end + _QUESTION.size]
    return Question(number, (flags & _OPCODE) >> 11, flags & _DESIRED, name, kind, group, edns, limit, asked)


def _offered(data: bytes, at: int) -> tuple[int, int]:
    """The version of EDNS and the size that stand first among the additions; what is there else does not concern us."""
    if data[at : at + 1] != b"\0":
        return -1, 0
    kind, size, extended, _length = _RECORD.unpack_from(data, at + 1)
    return ((extended >> 16) & 0xFF, size) if kind == OPT else (-1, 0)


def refusal(data: bytes, code: int) -> bytes:
    """Answer bytes of which at least the header could be read, or were not understood."""
    number, flags = struct.unpack_from("!2H", data)
    return _HEADER.pack(number, _RESPONSE | (flags & (_OPCODE | _DESIRED)) | code, 0, 0, 0, 0)


def is_question(data: bytes) -> bool:
    """Whether somebody waits for an answer to these bytes."""
    return len(data) >= _HEADER.size and not data[2] & 0x80


def ask(name: str, kind: int) -> bytes:
    """Write a question for a recursive server; the number is up to who sends it."""
    opt = b"\0" + _RECORD.pack(OPT, _EDNS_BYTES, 0, 0)
    return _HEADER.pack(0, _DESIRED, 1, 0, 0, 1) + _Writer().name(name) + _QUESTION.pack(kind, IN) + opt


def answer(question: Question, reply: Reply, limit: int) -> bytes:
    """Write an answer in at most `limit` bytes: what does not fit is left out, and said to be if it was asked for."""
    flags = _RESPONSE | _AVAILABLE | question.wishes | (reply.code & 0xF)
    flags |= _AUTHORITATIVE if reply.code in (NOERROR, NXDOMAIN) else 0
    opt = b""
    if question.edns >= 0:
        opt = b"\0" + _RECORD.pack(OPT, _EDNS_BYTES, (reply.code >> 4) << 24, 0)
    writer = _Writer(_HEADER.size)
    if "\\" not in question.name:
        writer.name(question.name)
    written, counts = bytearray(question.asked), []
    for records in (reply.answers, reply.authority, reply.additional):
        count = 0
        for record in records:
            packed = writer.record(record, _HEADER.size + len(written))
            if _HEADER.size + len(written) + len(packed) + len(opt) > limit:
                flags |= _TRUNCATED if records is not reply.additional else 0
                break
            written += packed
            count += 1
        counts.append(count)
        if flags & _TRUNCATED:
            break
    answers, authorities, additions = (*counts, 0, 0)[:3]
    header = _HEADER.pack(question.id, flags, 1, answers, authorities, additions + bool(opt))
    return header + bytes(written) + opt


def answers(data: bytes) -> tuple[int, list[Record]]:
    """Read the code and the answers of another server, as far as they are addresses and aliases. Raises Malformed."""
    try:
        _number, flags, questions, count, _authorities, _additions = _HEADER.unpack_from(data)
        at = _HEADER.size
        for _ in range(questions):
            at = _name(data, at, follow=True)[1] + _QUESTION.size
        found = []
        for _ in range(count):
            owner, at = _name(data, at, follow=True)
            kind, _group, ttl, length = _RECORD.unpack_from(data, at)
            at += _RECORD.size
            if kind in (A, AAAA):
                found.append(Record(owner, kind, ttl, (data[at : at + length],)))
            elif kind == CNAME:
                found.append(Record(owner, kind, ttl, (_name(data, at, follow=True)[0],)))
            at += length
    except struct.error:
        raise Malformed("cut off") from None
    return flags & 0xF, found


def _name(data: bytes, at: int, *, follow: bool) -> tuple[str, int]:
    """The name at a place, and where what comes after it begins. Raises Malformed."""
    labels: list[str] = []
    end, bound, size = 0, at, 0
    while at < len(data) and size <= _NAME_BYTES:
        length = data[at]
        if length >= 0xC0:
            to = int.from_bytes(data[at : at + 2], "big") & 0x3FFF
            if not follow or to >= bound:
                raise Malformed("a pointer")
            end, at, bound, length = end or at + 2, to, to, 0
        elif length >= 0x40:
            raise Malformed("a label")
        elif not length:
            return ".".join(labels), end or at + 1
        else:
            labels.append(_label(data[at + 1 : at + 1 + length]))
            at += 1 + length
        size += 1 + length
    raise Malformed("a name is cut off or too long")


def _label(label: bytes) -> str:
    return label.decode("latin-1").lower().replace("\\", "\\\\").replace(".", "\\.")


class _Writer:
    """Writes names, and knows where they stand: one that ends like an earlier one points there."""

    def __init__(self, at: int = 0) -> None:
        self._known: dict[str, int] = {}
        self._at = at

    def name(self, name: str, *, point: bool = True) -> bytes:
        written, rest = bytearray(), name
        while rest:
            if point and (known := self._known.get(rest)) is not None:
                return bytes(written) + struct.pack("!H", 0xC000 | known)
            if point and self._at + len(written) < 0x4000:
                self._known[rest] = self._at + len(written)
            label, _, rest = rest.partition(".")
            packed = label.encode("latin-1")
            written += bytes((len(packed),)) + packed
        return bytes(written) + b"\0"

    def record(self, record: Record, at: int) -> bytes:
        """Write a record that begins at a place of the message."""
        self._at = at
        head = self.name(record.owner)
        self._at += len(head) + _RECORD.size
        data = bytearray()
        for part in record.data:
            # RFC 2782: the target of SRV is written out.
            packed = part if isinstance(part, bytes) else self.name(part, point=record.kind != SRV)
            data += packed
            self._at += len(packed)
        return head + _RECORD.pack(record.kind, IN, record.ttl, len(data)) + bytes(data)
