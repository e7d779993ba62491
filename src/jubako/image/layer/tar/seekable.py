"""Reading an archive that lies in a file: data is sought past, not read, and has an offset."""

from __future__ import annotations

import os
from collections.abc import Iterator

from jubako.errors import DataLoss
from jubako.image.layer.tar.reader import Reader

_CHUNK_BYTES = 1 << 16


class SeekableReader(Reader):
    """Reads the archive from byte `start` of `fd` (a regular file) on, with pread: the file's position stays."""

    def __init__(self, fd: int, start: int = 0, *, entries_limit: int = 1 << 20) -> None:
        self._fd = fd
        self._next = start
        self._size = os.fstat(fd).st_size
        super().__init__(self._read(), entries_limit=entries_limit)

    @property
    def offset(self) -> int:
        """Where in the file the data of the present entry begins, before any of it is read."""
        return self._next - self.ahead

    def _read(self) -> Iterator[bytes]:
        while chunk := os.pread(self._fd, _CHUNK_BYTES, self._next):
            self._next += len(chunk)
            yield chunk

    def _skip(self) -> None:
        beyond = self._left + self._padding - (self._end - self._position)
        if beyond <= 0:
            super()._skip()
            return
        if self._next + beyond - self._padding > self._size:
            raise DataLoss("the archive is truncated")
        self._next += beyond
        self._position = self._end
        self._left = self._padding = 0
