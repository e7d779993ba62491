"""Compression of layers and archives: any stream to plain chunks, under caps; and layers to gzip or zstd.

Detection: by the first bytes. Media types and file names are only claims: `docker save` calls a gzip `layer.tar`.
Pinned:    compressor, level and the size of what it is given at once, since the bytes decide digests: igzip level 2 by
           1 MiB, zstd level 3 (which does not care).
Memory:    a chunk or two. No input, however it was made, is inflated by more than a chunk at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol, cast

from jubako.errors import DataLoss, InvalidArgument, ResourceExhausted
from jubako.image.layer.limits import DEFAULT, Limits

CHUNK_BYTES = 1 << 20
MAGIC_BYTES = 6
_INPUT_BYTES = 1 << 18
_ZSTD_WINDOW_BYTES = 1 << 27
_GZIP_LEVEL = 2
_ZSTD_LEVEL = 3
_GZIP_WBITS = 31
LEVELS = {"gzip": (0, 9), "zstd": (0, 22)}
"""The least and the greatest level that one may ask for."""


class Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Source:
    """Counts what is read, and gives back the bytes that detection looked at."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._start = _read_full(stream, MAGIC_BYTES)
        self.magic = self._start
        self.count = 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._start or self._stream.read(size)
        self._start = b""
        self.count += len(data)
        return data


def detect(magic: bytes) -> str:
    """gzip, zstd, xz, bzip2 or none, by the first MAGIC_BYTES."""
    if magic.startswith(b"\x1f\x8b"):
        return "gzip"
    if magic.startswith(b"\x28\xb5\x2f\xfd") or (magic[:1] >= b"\x50" and magic[1:4] == b"\x2a\x4d\x18"):
        return "zstd"
    if magic.startswith(b"\xfd7zXZ\0"):
        return "xz"
    return "bzip2" if magic.startswith(b"BZh") else "none"


def decompressed(stream: BinaryIO, *, limits: Limits = DEFAULT) -> Iterator[bytes]:
    """The plain bytes of `stream` in chunks. DataLoss if it is corrupt or truncated, ResourceExhausted for a bomb."""
    source = _Source(stream)
    chunks = _DECOMPRESSORS[detect(source.magic)](source)
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > limits.output_bytes:
            raise ResourceExhausted(f"the archive is larger than {limits.output_bytes} bytes when decompressed")
        if total > limits.ratio_from_bytes and total > limits.ratio * source.count:
            raise ResourceExhausted(
                f"the archive grows more than {limits.ratio} times when decompressed", hint="it may be a bomb"
            )
        yield chunk


def compressor(compression: str, level: int | None = None) -> Compressor:
    """A fresh compressor for "gzip" or "zstd"; `level` (see LEVELS) other than ours when given."""
    if compression == "gzip" and level is not None:
        import zlib

        return _Even(zlib.compressobj(level, zlib.DEFLATED, _GZIP_WBITS))
    if compression == "gzip":
        from isal import isal_zlib

        return _Even(isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP_WBITS))
    if compression == "zstd":
        import zstandard

        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL if level is None else level).compressobj()
    raise InvalidArgument(f"unknown compression {compression!r}", hint="gzip, zstd and none are known")


class _Even:
    """Gives a compressor even pieces, however they come: igzip's output depends on them, and that of zlib's level 0."""

    def __init__(self, inner: Compressor) -> None:
        self._inner = inner
        self._held = bytearray()

    def compress(self, data: bytes, /) -> bytes:
        if not self._held and len(data) == CHUNK_BYTES:
            return self._inner.compress(data)
        self._held += data
        made = b""
        while len(self._held) >= CHUNK_BYTES:
            with memoryview(self._held) as view:
                made += self._inner.compress(bytes(view[:CHUNK_BYTES]))
            del self._held[:CHUNK_BYTES]
        return made

    def flush(self) -> bytes:
        return self._inner.compress(bytes(self._held)) + self._inner.flush()


def _plain(source: _Source) -> Iterator[bytes]:
    while chunk := source.read(CHUNK_BYTES):
        yield chunk


def _gunzip(source: _Source) -> Iterator[bytes]:
    """All members, one after the other; zero padding behind the last is fine, anything else is not."""
    from isal import isal_zlib

    member = isal_zlib.decompressobj(_GZIP_WBITS)
    data = source.read(_INPUT_BYTES)
    while True:
        try:
            chunk = member.decompress(data, CHUNK_BYTES)
        except isal_zlib.error as error:  # type: ignore[misc]  # isal's stub calls the class a value
            raise DataLoss(f"the gzip data is corrupt: {error}") from error
        if chunk:
            yield chunk
        if member.eof:
            data = member.unused_data or source.read(_INPUT_BYTES)
            data = data if data[:1] == b"\x1f" else _without_padding(data, source)
            if not data:
                return
            member = isal_zlib.decompressobj(_GZIP_WBITS)
        else:
            data = member.unconsumed_tail
            # A full chunk may have more behind it inside the decompressor.
            if not data and len(chunk) < CHUNK_BYTES:
                data = source.read(_INPUT_BYTES)
                if not data:
                    raise DataLoss("the gzip data is truncated")


def _without_padding(data: bytes, source: _Source) -> bytes:
    while data and not data.strip(b"\0"):
        data = source.read(_INPUT_BYTES)
    if data:
        raise DataLoss("the gzip data is corrupt: something else follows it")
    return b""


def _unzstd(source: _Source) -> Iterator[bytes]:
    import zstandard

    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
    reader = decompressor.stream_reader(
        cast("BinaryIO", source), read_size=_INPUT_BYTES, read_across_frames=True, closefd=False
    )
    try:
        while chunk := reader.read(CHUNK_BYTES):
            yield chunk
    except zstandard.ZstdError as error:
        raise DataLoss(f"the zstd data is corrupt: {error}") from error


def _unxz(source: _Source) -> Iterator[bytes]:
    import lzma

    return _by_object(source, lambda: lzma.LZMADecompressor(memlimit=_ZSTD_WINDOW_BYTES * 2), lzma.LZMAError, "xz")


def _unbzip2(source: _Source) -> Iterator[bytes]:
    import bz2

    return _by_object(source, bz2.BZ2Decompressor, OSError, "bzip2")


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def _by_object(
    source: _Source, make: Callable[[], _Decompressor], failure: type[Exception], name: str
) -> Iterator[bytes]:
    """The loop that the standard library's decompressors share."""
    stream = make()
    data = source.read(_INPUT_BYTES)
    while data or not stream.needs_input:
        try:
            chunk = stream.decompress(data, CHUNK_BYTES)
        except failure as error:
            raise DataLoss(f"the {name} data is corrupt: {error}") from error
        if chunk:
            yield chunk
        data = b""
        if stream.eof:
            data = stream.unused_data.lstrip(b"\0") or source.read(_INPUT_BYTES).lstrip(b"\0")
            if not data:
                return
            stream = make()
        elif stream.needs_input:
            data = source.read(_INPUT_BYTES)
    raise DataLoss(f"the {name} data is truncated")


def _read_full(stream: BinaryIO, size: int) -> bytes:
    """Up to `size` bytes; fewer only at the end, also from a pipe that gives them one by one."""
    data = b""
    while len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data


_DECOMPRESSORS: dict[str, Callable[[_Source], Iterator[bytes]]] = {
    "none": _plain,
    "gzip": _gunzip,
    "zstd": _unzstd,
    "xz": _unxz,
    "bzip2": _unbzip2,
}
