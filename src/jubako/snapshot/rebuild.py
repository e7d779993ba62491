"""A dropped blob again, from its recipe and the unpacked layer: streamed, and hashed before the last of it goes out.

Body:     zstd of records: a kind (L, a literal; S, a stretch), two lengths, then the bytes of a literal, or the name
          of a file of the layer whose first bytes are meant. Put together they are the archive; the recipe's method
          compresses it.
Safety:   names are resolved inside the layer, as image.layer.splitting found them.
"""

from __future__ import annotations

import io
import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, BinaryIO, cast

from jubako.errors import DataLoss
from jubako.image.layer.codec import compressor, decompressed
from jubako.image.layer.limits import Limits
from jubako.image.layer.recompress import maker, version
from jubako.image.layer.splitting import Piece, Stretch
from jubako.linux.openat2 import open_regular
from jubako.store import digest as digests

if TYPE_CHECKING:
    from jubako.spec.oci_image import Digest
    from jubako.store import Recipe

_RECORD = Struct("<cIQ")
_PIECE_BYTES = 1 << 20
_BUFFER_BYTES = 1 << 20
# A recipe is ours: what it says of zeros and the like may be as short as it can.
_NO_LIMITS = Limits(ratio=1 << 62)
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def written(pieces: Iterable[Piece]) -> Iterator[bytes]:
    """The body of a recipe, in chunks."""
    packed, literal = compressor("zstd"), bytearray()
    for piece in pieces:
        if isinstance(piece, Stretch):
            yield packed.compress(_literal(literal) + _RECORD.pack(b"S", len(piece.name), piece.length) + piece.name)
            literal.clear()
        else:
            literal += piece
            if len(literal) >= _PIECE_BYTES:
                yield packed.compress(_literal(literal))
                literal.clear()
    yield packed.compress(_literal(literal)) + packed.flush()


def _literal(data: bytearray) -> bytes:
    return _RECORD.pack(b"L", len(data), 0) + data if data else b""


def rebuilt(digest: Digest, recipe: Recipe, body: BinaryIO, layer: Path) -> BinaryIO:
    """A reader of the blob; takes `body` over. DataLoss, at the end at the latest, where the result is not the blob."""
    return cast("BinaryIO", io.BufferedReader(_Rebuilt(_checked(digest, recipe, body, layer)), _BUFFER_BYTES))


def _checked(digest: Digest, recipe: Recipe, body: BinaryIO, layer: Path) -> Iterator[bytes]:
    hasher, held = digests.hasher(digests.split(digest)[0]), b""
    for chunk in _compressed(recipe, body, layer):
        hasher.update(chunk)
        yield held
        held = chunk
    if not digest.endswith(":" + hasher.hexdigest()):
        made, here = recipe.maker, version(recipe.method)
        why = "its unpacked layer has changed" if made == here else f"it was made by {made}, and here is {here}"
        raise DataLoss(f"blob {digest} can not be made again from layer {recipe.layer}: {why}", hint=_HINT)
    yield held


_HINT = "pull or load the image again; `jubako system check` tells which images are affected"


def _compressed(recipe: Recipe, body: BinaryIO, layer: Path) -> Iterator[bytes]:
    made = maker(recipe.method, recipe.header)
    with body, closing(_archive(body, layer)) as chunks:
        for chunk in chunks:
            if data := made.compress(chunk):
                yield data
        yield made.flush()


def _archive(body: BinaryIO, layer: Path) -> Generator[bytes]:
    records = io.BufferedReader(_Rebuilt(decompressed(body, limits=_NO_LIMITS)), _BUFFER_BYTES)
    root = os.open(layer, _OPEN_DIRECTORY)
    try:
        while record := records.read(_RECORD.size):
            kind, length, stretch = _RECORD.unpack(record)
            data = records.read(length)
            if kind == b"L":
                yield data
            else:
                yield from _stretch(root, data, stretch)
    finally:
        os.close(root)


def _stretch(root: int, name: bytes, left: int) -> Iterator[bytes]:
    try:
        fd = open_regular(root, name)
    except OSError:
        fd = None
    if fd is None:
        raise DataLoss(f"the file {os.fsdecode(name)!r} of an unpacked layer is gone", hint=_HINT)
    with open(fd, "rb", buffering=0) as stream:
        while left and (data := stream.read(min(left, _PIECE_BYTES))):
            left -= len(data)
            yield data


class _Rebuilt(io.RawIOBase):
    """A reader of what an iterator gives."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")
        self._done = 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._done

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        self._done += count
        return count

    def close(self) -> None:
        if not self.closed and hasattr(self._chunks, "close"):
            self._chunks.close()
        super().close()
