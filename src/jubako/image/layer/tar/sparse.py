"""Sparse files: the maps of GNU's old format and of PAX sparse 1.0.

Spec: GNU tar manual, "Storing Sparse Files" and "Old GNU Format".
"""

from __future__ import annotations

from jubako.errors import DataLoss
from jubako.image.layer.tar.entry import SPECIAL_LIMIT_BYTES, Regions
from jubako.image.layer.tar.header import number
from jubako.image.layer.tar.pax import decimal

_HEADER_MAP, _HEADER_COUNT, _HEADER_MORE, _HEADER_REAL_SIZE = 386, 4, 482, 483
_EXTENSION_COUNT, _EXTENSION_MORE = 21, 504
_PIECE = 24


def header_regions(header: bytes) -> tuple[Regions, bool]:
    """The regions in an old GNU header, and whether an extension block follows."""
    return _regions(header, _HEADER_MAP, _HEADER_COUNT), header[_HEADER_MORE] != 0


def header_real_size(header: bytes) -> int:
    return number(header[_HEADER_REAL_SIZE : _HEADER_REAL_SIZE + 12])


def extension_regions(block: bytes) -> tuple[Regions, bool]:
    return _regions(block, 0, _EXTENSION_COUNT), block[_EXTENSION_MORE] != 0


def _regions(block: bytes, start: int, count: int) -> Regions:
    found: Regions = []
    for position in range(start, start + count * _PIECE, _PIECE):
        if not block[position]:
            break
        found.append((number(block[position : position + 12]), number(block[position + 12 : position + _PIECE])))
    return found


def check(regions: Regions, real_size: int, data_size: int) -> None:
    """The regions are in order, inside the file, and take exactly the data that there is."""
    position = total = 0
    for offset, length in regions:
        if offset < position:
            raise DataLoss("the archive is corrupt: a sparse map is out of order")
        position = offset + length
        total += length
    if position > real_size or total != data_size or real_size >= 1 << 63:
        raise DataLoss("the archive is corrupt: a sparse map does not fit its file")


class MapParser:
    """The text map of sparse 1.0, fed one block at a time: a count, then that many offsets and lengths."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.done = False
        self._text = b""
        self._wanted: int | None = None

    def feed(self, block: bytes) -> None:
        *lines, self._text = (self._text + block).split(b"\n")
        for line in lines:
            if self._wanted is None:
                self._wanted = 2 * decimal(line)
            elif len(self.numbers) < self._wanted:
                self.numbers.append(decimal(line))
        if self._wanted is not None and len(self.numbers) >= self._wanted:
            self.done = True
        elif len(self.numbers) * _PIECE > SPECIAL_LIMIT_BYTES or len(self._text) > len(block):
            raise DataLoss("the archive is corrupt: a sparse map without an end")
