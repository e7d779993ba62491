from __future__ import annotations

import io
import tarfile

import pytest

from jubako.errors import InvalidArgument
from jubako.image.layer.tar import CHAR, DIRECTORY, HARDLINK, SYMLINK, Entry, Reader, Writer


def written(*entries: tuple[Entry, bytes]) -> bytes:
    out: list[bytes] = []
    writer = Writer(out.append)
    for entry, data in entries:
        entry.size = len(data)
        writer.add(entry, data)
    writer.finish()
    assert writer.size_bytes == sum(map(len, out))
    return b"".join(out)


ENTRIES = [
    Entry(b"dir/", DIRECTORY, 0o1777),
    Entry(b"dir/file", mode=0o4755, uid=1000, gid=1000, mtime_ns=1_700_000_000 * 10**9),
    Entry(b"n" * 100),
    Entry(b"n" * 101),
    Entry(b"p" * 155 + b"/" + b"n" * 100),
    Entry(b"p" * 156 + b"/" + b"n" * 100),
    Entry(b"d/" * 127 + b"x"),
    Entry(b"d/" * 200 + b"x"),
    Entry("ünï/cödé".encode()),
    Entry(b"bytes\xff\xfe"),
    Entry(b"sym", SYMLINK, 0o777, link=b"t" * 100),
    Entry(b"longsym", SYMLINK, 0o777, link=b"t" * 101),
    Entry(b"hard", HARDLINK, link=b"dir/file"),
    Entry(b"null", CHAR, 0o666, device=(1, 3)),
    Entry(b"owner", uid=1 << 21, gid=(1 << 32) - 2),
    Entry(b"nanoseconds", mtime_ns=1_500_000_001),
    Entry(b"past", mtime_ns=-1_250_000_000),
]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name[:12].decode("latin-1"))
def test_the_standard_library_and_our_reader_read_what_was_written(entry: Entry) -> None:
    content = b"content" * 100 if entry.kind == b"0" else b""
    data = written((entry, content))
    with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape") as archive:
        (member,) = archive.getmembers()
        assert member.name.encode("utf-8", "surrogateescape") == entry.name.rstrip(b"/")
        assert member.linkname.encode() == entry.link
        assert (member.type, member.mode, member.uid, member.gid) == (entry.kind, entry.mode, entry.uid, entry.gid)
        assert member.mtime == pytest.approx(entry.mtime_ns / 1e9)
        if content:
            assert archive.extractfile(member).read() == content  # type: ignore[union-attr]
    reader = Reader([data])
    ours = reader.next()
    assert ours is not None
    assert reader.read(1 << 20) == content
    for field in ("name", "kind", "mode", "uid", "gid", "mtime_ns", "link", "device", "xattrs"):
        assert getattr(ours, field) == getattr(entry, field)


def test_xattrs_survive() -> None:
    entry = Entry(b"f")
    entry.xattrs = {"security.capability": b"\x00\x01\n=\xff", "user.a": b""}
    (read,) = list(Reader([written((entry, b""))]))
    assert read.xattrs == entry.xattrs


def test_nothing_but_ustar_is_used_where_that_will_do() -> None:
    assert len(written((Entry(b"p" * 100 + b"/" + b"n" * 99, mtime_ns=5 * 10**9), b""))) == 512 + 1024


def test_data_must_have_the_size_that_the_entry_says() -> None:
    writer = Writer(lambda data: None)
    writer.add(Entry(b"f", size=3))
    with pytest.raises(InvalidArgument):
        writer.finish()
    with pytest.raises(InvalidArgument):
        writer.write(b"four")
