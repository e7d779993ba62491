from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import zlib

import pytest
import zstandard

from jubako.errors import DataLoss, InvalidArgument, ResourceExhausted
from jubako.image.layer import codec
from jubako.image.layer.limits import Limits

PLAIN = random.Random(1).randbytes(100_000) + bytes(3 << 20)
COMPRESSED = {
    "gzip": gzip.compress(PLAIN),
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress(PLAIN),
    "xz": lzma.compress(PLAIN),
    "bzip2": bz2.compress(PLAIN),
}


class Trickle(io.BytesIO):
    """A pipe that gives few bytes at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size, 7) if size and size > 0 else 7)


def plain(data: bytes, limits: Limits | None = None) -> bytes:
    return b"".join(codec.decompressed(io.BytesIO(data), limits=limits or Limits()))


@pytest.mark.parametrize("name", [*COMPRESSED, "none"])
def test_each_compression_is_detected_and_undone(name: str) -> None:
    data = COMPRESSED.get(name, PLAIN)
    assert codec.detect(data[:6]) == name
    assert plain(data) == PLAIN


def test_chunks_are_bounded_whatever_the_ratio() -> None:
    for data in COMPRESSED.values():
        assert max(map(len, codec.decompressed(io.BytesIO(data)))) <= codec.CHUNK_BYTES


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_stream_that_comes_in_small_pieces_is_read(name: str) -> None:
    small = {"gzip": gzip.compress, "zstd": zstandard.compress, "xz": lzma.compress, "bzip2": bz2.compress}[name](
        b"hello" * 99
    )
    assert b"".join(codec.decompressed(Trickle(small))) == b"hello" * 99


@pytest.mark.parametrize("data", [b"", b"x", b"short", b"\x1f", b"\x28\xb5"])
def test_short_streams_are_themselves(data: bytes) -> None:
    assert plain(data) == data


@pytest.mark.parametrize("name", COMPRESSED)
def test_members_behind_each_other_are_one_stream(name: str) -> None:
    assert plain(COMPRESSED[name] * 3) == PLAIN * 3


def skippable(data: bytes) -> bytes:
    return b"\x50\x2a\x4d\x18" + len(data).to_bytes(4, "little") + data


def test_zstd_chunked_is_plain_zstd() -> None:
    """A frame for each file, and behind them, in frames to be skipped, a table of contents and a footer."""
    frames = [zstandard.compress(PLAIN[start : start + 9000]) for start in range(0, 90_000, 9000)]
    layer = b"".join(frames) + skippable(zstandard.compress(b"{}")) + skippable(b"footer" * 8)
    assert plain(layer) == PLAIN[:90_000]
    assert plain(skippable(b"at the start") + skippable(b"") + layer + frames[0]) == PLAIN[:90_000] + PLAIN[:9000]


def test_estargz_is_plain_gzip() -> None:
    """A member for each file; the footer is an empty member whose extra field says where the table of contents is."""
    members = [gzip.compress(PLAIN[start : start + 9000]) for start in range(0, 90_000, 9000)]
    extra = b"SG\x16\x00" + b"%016x" % 12345 + b"STARGZ"
    footer = b"\x1f\x8b\x08\x04" + bytes(5) + b"\xff" + len(extra).to_bytes(2, "little") + extra
    footer += b"\x03\x00" + bytes(8)
    assert plain(b"".join(members) + footer) == PLAIN[:90_000]


def test_many_tiny_gzip_members_are_read() -> None:
    assert plain(b"".join(gzip.compress(b"%d" % number) for number in range(3000))) == b"".join(
        b"%d" % number for number in range(3000)
    )


def test_zero_padding_behind_gzip_is_fine_and_anything_else_is_not() -> None:
    assert plain(COMPRESSED["gzip"] + bytes(1 << 20)) == PLAIN
    with pytest.raises(DataLoss, match="something else follows"):
        plain(COMPRESSED["gzip"] + bytes(5) + b"x")


@pytest.mark.parametrize("name", ["gzip", "xz", "bzip2"])
@pytest.mark.parametrize("cut", [1, 4, 8, 40, 1000])
def test_truncation_is_found(name: str, cut: int) -> None:
    with pytest.raises(DataLoss, match=r"truncated|corrupt"):
        plain(COMPRESSED[name][:-cut])


@pytest.mark.parametrize("name", COMPRESSED)
def test_corruption_is_found(name: str) -> None:
    data = bytearray(COMPRESSED[name])
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(DataLoss, match=name):
        plain(bytes(data))


def test_a_wrong_gzip_checksum_is_found() -> None:
    data = bytearray(COMPRESSED["gzip"])
    data[-8] ^= 1
    with pytest.raises(DataLoss):
        plain(bytes(data))


def test_a_bomb_is_stopped_by_output_and_by_ratio() -> None:
    bomb = gzip.compress(bytes(8 << 20))
    with pytest.raises(ResourceExhausted, match="larger than"):
        plain(bomb, Limits(output_bytes=1 << 20))
    with pytest.raises(ResourceExhausted, match="times"):
        plain(bomb, Limits(ratio=100, ratio_from_bytes=1 << 20))
    assert len(plain(bomb, Limits(ratio=100))) == 8 << 20


def test_a_zstd_window_beyond_ours_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=30, compression_level=1)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(DataLoss, match="zstd"):
        plain(compressor.compress(b"x" * 100) + compressor.flush())


def test_our_compressors_are_undone_by_others_and_pinned() -> None:
    for name in ("gzip", "zstd"):
        first, second = codec.compressor(name), codec.compressor(name)
        data = first.compress(PLAIN) + first.flush()
        assert data == second.compress(PLAIN) + second.flush()
        assert plain(data) == PLAIN
    gzipped = codec.compressor("gzip")
    assert zlib.decompress(gzipped.compress(b"x") + gzipped.flush(), 31) == b"x"
    with pytest.raises(InvalidArgument):
        codec.compressor("rot13")
