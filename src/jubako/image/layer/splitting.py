"""A layer's archive, apart from what the unpacked tree holds anyway: headers and padding, and stretches of its files.

Model:    Put together again in order, the pieces are the archive, byte for byte. Data that is not at the beginning of
          its file in the tree (it was replaced by a later entry, is sparse, was changed) is a piece itself.
Safety:   names are the archive's, so they are resolved inside the tree, and only regular files are opened.
Memory:   the chunks between two entries.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from jubako.image.layer.tar.entry import FILE, Entry
from jubako.image.layer.tar.reader import Reader
from jubako.linux.openat2 import open_regular


class Stretch(NamedTuple):
    """The first `length` bytes of a file of the tree."""

    name: bytes
    length: int


Piece = bytes | Stretch


def split(chunks: Iterator[bytes], root_fd: int) -> Iterator[Piece]:
    """The pieces of the archive in `chunks`, which was unpacked beneath `root_fd`."""
    tap = _Tap(chunks)
    reader = Reader(tap)
    while (entry := reader.next()) is not None:
        yield from tap.take(tap.total - reader.ahead)
        yield from _data(reader, tap, entry, root_fd)
    reader.drain()
    yield from tap.take(tap.total)


def _data(reader: Reader, tap: _Tap, entry: Entry, root_fd: int) -> Iterator[Piece]:
    fd = _opened(root_fd, entry) if entry.kind == FILE and entry.regions is None and entry.size else None
    same = 0
    try:
        for piece in reader.data():
            if fd is not None and os.pread(fd, len(piece), same) == piece:
                same += len(piece)
                tap.drop(len(piece))
                continue
            if fd is not None:
                os.close(fd)
                fd = None
                if same:
                    yield Stretch(entry.name, same)
                same = 0
            yield from tap.take(tap.done + len(piece))
    finally:
        if fd is not None:
            os.close(fd)
    if same:
        yield Stretch(entry.name, same)


def _opened(root_fd: int, entry: Entry) -> int | None:
    try:
        return open_regular(root_fd, entry.name)
    except OSError:
        return None


class _Tap(Iterator[bytes]):
    """Passes chunks on, and keeps them until they are taken."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held: deque[memoryview] = deque()
        self.total = self.done = 0

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        self.total += len(chunk)
        self._held.append(memoryview(chunk))
        return chunk

    def take(self, until: int) -> Iterator[bytes]:
        """What was passed on and not taken yet, up to that many bytes from the beginning."""
        return (bytes(piece) for piece in self._taken(until - self.done))

    def drop(self, count: int) -> None:
        for _ in self._taken(count):
            pass

    def _taken(self, count: int) -> Iterator[memoryview]:
        self.done += count
        while count:
            piece = self._held.popleft()
            if len(piece) > count:
                self._held.appendleft(piece[count:])
                piece = piece[:count]
            count -= len(piece)
            yield piece
