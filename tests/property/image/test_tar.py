"""Whatever an archive holds, our reader sees what the standard library sees; whatever bytes it is made of, we only
ever raise our own errors."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from jubako.errors import JubakoError
from jubako.image.layer import codec
from jubako.image.layer.limits import Limits
from jubako.image.layer.tar import Entry, Reader, Writer

quick = settings(max_examples=150)
components = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=40)
names = st.lists(components, min_size=1, max_size=5).map("/".join).filter(lambda name: len(name.encode()) < 250)
KINDS = [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]


@st.composite
def members(draw: st.DrawFn, *, small: bool = False) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(draw(names))
    member.type = draw(st.sampled_from(KINDS))
    member.mode = draw(st.integers(0, 0o7777))
    limit = 2097151 if small else 1 << 32
    member.uid, member.gid = draw(st.integers(0, limit)), draw(st.integers(0, limit))
    member.mtime = draw(st.integers(0 if small else -(1 << 33), 1 << 33 if small else 1 << 36) if not small else
                        st.integers(0, (1 << 33) - 1))  # fmt: skip
    data = b""
    if member.type == tarfile.REGTYPE:
        data = draw(st.binary(max_size=2000))
        member.size = len(data)
    if member.type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        member.linkname = draw(names)
    if member.type == tarfile.CHRTYPE:
        member.devmajor, member.devminor = draw(st.integers(0, 4095)), draw(st.integers(0, 2097151))
    return member, data


def archive(found: list[tuple[tarfile.TarInfo, bytes]], format: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format, encoding="utf-8") as opened:
        for member, data in found:
            opened.addfile(member, io.BytesIO(data))
    return out.getvalue()


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@quick
@given(
    st.lists(members(), max_size=6),
    st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    st.integers(1, 4000),
)
def test_our_reader_agrees_with_the_standard_library(
    found: list[tuple[tarfile.TarInfo, bytes]], format: int, size: int
) -> None:
    data = archive(found, format)
    with tarfile.open(fileobj=io.BytesIO(data), encoding="utf-8") as oracle:
        expected = oracle.getmembers()
    reader = Reader(pieces(data, size))
    for theirs, (_, content) in zip(expected, found, strict=True):
        ours = reader.next()
        assert ours is not None
        assert ours.name.rstrip(b"/").decode() == theirs.name
        assert (ours.kind, ours.mode, ours.uid, ours.gid) == (theirs.type, theirs.mode, theirs.uid, theirs.gid)
        assert ours.mtime_ns == int(theirs.mtime) * 10**9
        assert ours.link.decode() == theirs.linkname
        assert reader.read(1 << 20) == content
    assert reader.next() is None


@quick
@given(st.lists(members(), max_size=6))
def test_what_our_writer_writes_the_standard_library_reads(found: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    out: list[bytes] = []
    writer = Writer(out.append)
    for member, content in found:
        entry = Entry(
            member.name.encode() + (b"/" if member.isdir() else b""),
            member.type,
            member.mode,
            member.uid,
            member.gid,
            len(content),
            int(member.mtime) * 10**9,
            member.linkname.encode(),
            (member.devmajor, member.devminor),
        )
        writer.add(entry, content)
    writer.finish()
    with tarfile.open(fileobj=io.BytesIO(b"".join(out)), encoding="utf-8") as oracle:
        expected = oracle.getmembers()
        assert len(expected) == len(found)
        for theirs, (member, content) in zip(expected, found, strict=True):
            for field in ("name", "type", "mode", "uid", "gid", "mtime", "linkname", "devmajor", "devminor"):
                wanted = getattr(member, field)
                assert getattr(theirs, field) == (wanted.rstrip("/") if field == "name" else wanted)
            if theirs.isreg():
                assert oracle.extractfile(theirs).read() == content  # type: ignore[union-attr]


@settings(max_examples=400, deadline=None)
@given(
    st.lists(members(), min_size=1, max_size=4),
    st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=8),
    st.integers(0, 1 << 16),
    st.booleans(),
)
def test_a_mutated_archive_raises_nothing_but_our_errors(
    found: list[tuple[tarfile.TarInfo, bytes]],
    format: int,
    changes: list[tuple[int, int]],
    end: int,
    mend: bool,
) -> None:
    data = bytearray(archive(found, format))
    for position, value in changes:
        data[position % len(data)] = value
    if mend:
        for start in range(0, len(data) - 511, 512):
            block = data[start : start + 512]
            if block[257:262] == b"ustar":
                block[148:156] = b" " * 8
                data[start + 148 : start + 156] = b"%06o\0 " % sum(block)
    data = data[: end % (len(data) + 1)] if end % 2 else data
    try:
        for entry in (reader := Reader(pieces(bytes(data), 700), entries_limit=1000)):
            for _ in reader.data():
                assert entry.size >= 0
    except JubakoError:
        pass


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0", b"BZh9", b""]),
    st.binary(max_size=300),
    st.binary(max_size=300),
    st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=4),
    st.sampled_from(["gzip", "zstd"]),
)
def test_any_compressed_bytes_raise_nothing_but_our_errors(
    magic: bytes, junk: bytes, plain: bytes, changes: list[tuple[int, int]], compression: str
) -> None:
    compressor = codec.compressor(compression)
    valid = bytearray(compressor.compress(plain) + compressor.flush())
    for position, value in changes:
        valid[position % len(valid)] = value
    for data in (magic + junk, bytes(valid), bytes(valid) + junk):
        try:
            for _ in codec.decompressed(io.BytesIO(data), limits=Limits(output_bytes=1 << 24)):
                pass
        except JubakoError:
            pass
