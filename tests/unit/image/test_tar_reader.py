"""The reader against the standard library's writer, byte for byte of every field, in each format."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

import pytest

from jubako.errors import DataLoss, ResourceExhausted
from jubako.image.layer.tar import Entry, Reader

from .conftest import tar_of

FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]


def pieces(data: bytes, size: int = 1 << 20) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def read(data: bytes, size: int = 1 << 20) -> list[tuple[Entry, bytes]]:
    reader = Reader(pieces(data, size))
    return [(entry, reader.read(1 << 30)) for entry in reader]


def info(name: str, **fields: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def agree(ours: Entry, theirs: tarfile.TarInfo) -> None:
    assert ours.name.rstrip(b"/").decode("utf-8", "surrogateescape") == theirs.name
    assert (ours.kind, ours.mode, ours.uid, ours.gid) == (theirs.type, theirs.mode, theirs.uid, theirs.gid)
    assert ours.link.decode("utf-8", "surrogateescape") == theirs.linkname
    assert ours.mtime_ns == pytest.approx(theirs.mtime * 1e9, abs=1000)
    if theirs.ischr() or theirs.isblk():
        assert ours.device == (theirs.devmajor, theirs.devminor)


def agree_on_all(data: bytes, size: int = 1 << 20) -> None:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        expected = archive.getmembers()
        found = read(data, size)
        assert len(found) == len(expected)
        for (ours, content), theirs in zip(found, expected, strict=True):
            agree(ours, theirs)
            if theirs.isreg():
                assert content == archive.extractfile(theirs).read()  # type: ignore[union-attr]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("size", [1, 511, 512, 513, 1 << 20])
def test_every_kind_of_entry_is_read(format: int, size: int) -> None:
    data = tar_of(
        ("etc/", b""),
        ("etc/passwd", b"root" * 300),
        ("empty", b""),
        ("block", b"x" * 512),
        info("sym", type=tarfile.SYMTYPE, linkname="etc/passwd", mode=0o777),
        info("hard", type=tarfile.LNKTYPE, linkname="etc/passwd"),
        info("chr", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666),
        info("blk", type=tarfile.BLKTYPE, devmajor=253, devminor=300),
        info("fifo", type=tarfile.FIFOTYPE),
        info("suid", mode=0o4755, uid=1000, gid=2097151, mtime=1700000000),
        format=format,
    )
    agree_on_all(data, size)


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_does_not_fit_a_ustar_field_is_read(format: int) -> None:
    data = tar_of(
        info("a" * 300),
        info("d/" * 120 + "x" * 150, type=tarfile.SYMTYPE, linkname="t" * 400),
        info("dir" * 60, type=tarfile.DIRTYPE),
        info("owner", uid=1 << 31, gid=(1 << 32) - 2),
        info("past", mtime=-5),
        info("far", mtime=1 << 34),
        info("ünïcode/" + "ö" * 80),
        format=format,
    )
    agree_on_all(data)
    agree_on_all(data, 1)


def test_a_ustar_prefix_is_put_before_the_name() -> None:
    name = "p" * 120 + "/" + "n" * 90
    agree_on_all(tar_of(info(name), format=tarfile.USTAR_FORMAT))


def test_pax_times_keep_their_nanoseconds_on_both_sides_of_1970() -> None:
    for text, expected in (("1.5", 1_500_000_000), ("-1.25", -1_250_000_000), ("7.123456789123", 7_123456789)):
        ((entry, _),) = read(tar_of(info("f", pax_headers={"mtime": text})))
        assert entry.mtime_ns == expected


def test_xattrs_are_read_as_bytes() -> None:
    value = b"\x01\x00\x00\x02\x00 =\n\xff"
    member = info("f", pax_headers={"SCHILY.xattr.security.capability": value.decode("utf-8", "surrogateescape")})
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape") as archive:
        archive.addfile(member)
    ((entry, _),) = read(out.getvalue())
    assert entry.xattrs == {"security.capability": value}


def test_an_empty_pax_value_leaves_the_header_as_it_is() -> None:
    ((entry, _),) = read(tar_of(info("f", uid=5, pax_headers={"uid": ""})))
    assert entry.uid == 5


def test_global_headers_are_passed_over() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "commit"}) as archive:
        archive.addfile(tarfile.TarInfo("f"))
    assert [entry.name for entry, _ in read(out.getvalue())] == [b"f"]
    with tarfile.open(fileobj=(alone := io.BytesIO()), mode="w", pax_headers={"comment": "commit"}):
        pass
    assert read(alone.getvalue()) == []


def test_a_v7_directory_is_a_file_whose_name_ends_in_a_slash() -> None:
    header = bytearray(tar_of(info("old"))[:512])
    header[:4] = b"old/"
    header[156] = 0
    header[257:512] = bytes(255)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    ((entry, _),) = read(bytes(header) + bytes(1024))
    assert entry.kind == tarfile.DIRTYPE


def test_signed_checksums_of_old_tars_are_accepted() -> None:
    header = bytearray(tar_of(info("caf\xe9"), format=tarfile.GNU_FORMAT)[:512])
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(byte - 256 if byte > 127 else byte for byte in header)
    assert len(read(bytes(header) + bytes(1024))) == 1


def test_links_and_devices_have_no_data_whatever_their_size_says() -> None:
    member = info("hard", type=tarfile.LNKTYPE, linkname="x", size=700)
    data = member.tobuf(tarfile.USTAR_FORMAT) + tar_of(("after", b"data"))
    assert [(entry.name, content) for entry, content in read(data)] == [(b"hard", b""), (b"after", b"data")]


def test_unread_data_is_skipped() -> None:
    data = tar_of(("a", b"1" * 5000), ("b", b"2" * 5000), ("c", b"3"))
    for size in (100, 512, 4096, 1 << 20):
        assert [entry.name for entry in Reader(pieces(data, size))] == [b"a", b"b", b"c"]


def test_an_archive_may_end_without_zero_blocks_or_with_only_one() -> None:
    data = tar_of(("a", b"1" * 600))
    for end in (512 + 600, 512 + 1024, 512 + 1024 + 512):
        assert [content for _, content in read(data[:end])] == [b"1" * 600]
    assert read(b"") == []


def test_something_after_a_lone_zero_block_is_corruption() -> None:
    with pytest.raises(DataLoss, match="lone zero block"):
        read(bytes(512) + tar_of(("a", b"")))


@pytest.mark.parametrize("end", [100, 511, 512, 700, 1023])
def test_truncation_is_found(end: int) -> None:
    with pytest.raises(DataLoss, match="truncated"):
        read(tar_of(("a", b"1" * 600))[:end])


def test_truncation_after_an_extended_header_is_found() -> None:
    data = tar_of(info("a" * 300))
    with pytest.raises(DataLoss, match="truncated"):
        read(data[:1024])


@pytest.mark.parametrize("position", [0, 100, 124, 150, 300])
def test_a_changed_header_byte_is_found(position: int) -> None:
    data = bytearray(tar_of(("file", b"data")))
    data[position] ^= 0x01
    with pytest.raises(DataLoss):
        read(bytes(data))


@pytest.mark.parametrize(
    "records",
    [b"5", b"99 path=x\n", b"9 path=x\nx", b"8 path=xy\n", b"x path=x\n", b"7 path\n", b"6 =xy\n", b"-9 path=x\n"],
)
def test_malformed_pax_records_are_corruption(records: bytes) -> None:
    header = info("x", type=tarfile.XHDTYPE, size=len(records)).tobuf(tarfile.USTAR_FORMAT)
    with pytest.raises(DataLoss):
        read(header + records.ljust(512, b"\0") + tar_of(("f", b"")))


def test_a_nul_in_a_pax_name_is_corruption() -> None:
    record = b"11 path=\0x\n"
    header = info("x", type=tarfile.XHDTYPE, size=len(record)).tobuf(tarfile.USTAR_FORMAT)
    with pytest.raises(DataLoss):
        read(header + record.ljust(512, b"\0") + tar_of(("f", b"")))


def test_a_negative_size_is_corruption() -> None:
    data = bytearray(tar_of(("f", b"")))
    data[124:136] = b"\xff" * 12
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    with pytest.raises(DataLoss, match="negative"):
        read(bytes(data))


def test_huge_extended_headers_and_too_many_entries_are_over_the_cap() -> None:
    header = info("x", type=tarfile.XHDTYPE, size=2 << 20).tobuf(tarfile.USTAR_FORMAT)
    with pytest.raises(ResourceExhausted):
        read(header + bytes(2 << 20))
    reader = Reader(pieces(tar_of(*[("f", b"")] * 5)), entries_limit=4)
    with pytest.raises(ResourceExhausted):
        list(reader)


def test_an_impossible_time_is_the_latest_that_a_file_can_have() -> None:
    ((entry, _),) = read(tar_of(info("f", pax_headers={"mtime": "9" * 20})))
    assert entry.mtime_ns == (1 << 40) * 10**9
    ((entry, _),) = read(tar_of(info("f", mtime=-(1 << 80)), format=tarfile.GNU_FORMAT))
    assert entry.mtime_ns == -(1 << 40) * 10**9
