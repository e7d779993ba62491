"""Reading archives: headers straight out of large buffers, data as views into them, nothing copied that need not be.

Model:   next() moves to the next entry; its data is what whole() or data() return before the next next().
Errors:  DataLoss for what is truncated or malformed, ResourceExhausted over the cap on headers.
Formats: V7, ustar, PAX, GNU (long names, base-256, old sparse; PAX sparse 0.0, 0.1 and 1.0).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jubako.errors import DataLoss, ResourceExhausted
from jubako.image.layer.tar import pax, sparse
from jubako.image.layer.tar.entry import BLOCK_BYTES, DIRECTORY, FILE, SPECIAL_LIMIT_BYTES, Entry
from jubako.image.layer.tar.header import HeaderDecoder

_HEADER_ONLY = frozenset((b"1", b"2", b"3", b"4", b"5", b"6"))
_PAX, _PAX_GLOBAL, _GNU_NAME, _GNU_LINK, _GNU_SPARSE = b"x", b"g", b"L", b"K", b"S"
_SPECIAL = frozenset((_PAX, _PAX_GLOBAL, _GNU_NAME, _GNU_LINK, _GNU_SPARSE))
_ENTRIES_LIMIT = 1 << 22


class Reader:
    """Reads the archive that `chunks` add up to. Chunks of about a megabyte are best."""

    def __init__(self, chunks: Iterable[bytes], *, entries_limit: int = _ENTRIES_LIMIT) -> None:
        self._chunks = iter(chunks)
        self._view = memoryview(b"")
        self._position = 0
        self._end = 0
        self._left = 0
        self._padding = 0
        self._headers_left = entries_limit
        self._decode = HeaderDecoder().decode

    def __iter__(self) -> Iterator[Entry]:
        while (entry := self.next()) is not None:
            yield entry

    def next(self) -> Entry | None:
        """Move on to the next entry, past the data of the present one; None at the end of the archive."""
        entry = self._header()
        if entry is None:
            return None
        if entry.kind in _SPECIAL:
            return self._next_after_special(entry)
        return self._with_data(entry)

    def whole(self) -> memoryview | None:
        """All data of the entry if it is at hand in one piece; otherwise None, and data() has it."""
        start = self._position
        end = start + self._left
        if end > self._end:
            return None
        self._position = end
        self._left = 0
        return self._view[start:end]

    def data(self) -> Iterator[memoryview]:
        """The data of the entry, or what is left of it, in pieces."""
        while self._left:
            if self._position == self._end and not self._more():
                raise _truncated()
            count = min(self._left, self._end - self._position)
            start = self._position
            self._position += count
            self._left -= count
            yield self._view[start : start + count]

    def read(self, limit: int) -> bytes:
        """All data of the entry as bytes; ResourceExhausted if that is more than `limit`."""
        if self._left > limit:
            raise ResourceExhausted(f"an archive member is {self._left} bytes, at most {limit} are allowed")
        return b"".join(self.data())

    @property
    def ahead(self) -> int:
        """How many bytes were taken from the chunks, but not read yet."""
        return self._end - self._position

    def drain(self) -> None:
        """Read to the end of the stream, so that who computes its digest sees all of it."""
        for _ in self._chunks:
            pass

    def _header(self) -> Entry | None:
        if self._left or self._padding:
            self._skip()
        if self._end - self._position < BLOCK_BYTES and not self._fill(BLOCK_BYTES):
            if self._position != self._end:
                raise _truncated()
            return None
        position = self._position
        if not self._view[position] and not any(self._view[position : position + BLOCK_BYTES]):
            self._check_end()
            return None
        self._headers_left -= 1
        if self._headers_left < 0:
            raise ResourceExhausted("the archive has more entries than are allowed")
        self._position = position + BLOCK_BYTES
        return self._decode(self._view, position)

    def _with_data(self, entry: Entry) -> Entry:
        if entry.kind in _HEADER_ONLY:
            entry.size = entry.real_size = 0
            return entry
        self._expect(entry.size)
        return entry

    def _expect(self, size: int) -> None:
        self._left = size
        self._padding = -size % BLOCK_BYTES

    def _next_after_special(self, entry: Entry | None) -> Entry | None:
        """Collect what long names and PAX headers say, up to the entry that it is for, and apply it."""
        extended = pax.Extended()
        name = link = None
        pending = False
        budget = SPECIAL_LIMIT_BYTES
        while entry is not None and entry.kind in _SPECIAL and entry.kind != _GNU_SPARSE:
            self._expect(entry.size)
            # A global header changes nothing, as in Docker, containerd and podman; git's have only a comment.
            if entry.kind != _PAX_GLOBAL:
                pending = True
                data = self.read(budget)
                budget -= len(data)
            if entry.kind == _PAX:
                extended.read(data)
            elif entry.kind == _GNU_NAME:
                name = data.partition(b"\0")[0]
            elif entry.kind == _GNU_LINK:
                link = data.partition(b"\0")[0]
            entry = self._header()
        if entry is None:
            if pending:
                raise _truncated()
            return None
        if name is not None:
            entry.name = name
            if entry.kind == FILE and name.endswith(b"/"):
                entry.kind = DIRECTORY
        if link is not None:
            entry.link = link
        if entry.kind == _GNU_SPARSE:
            self._old_sparse(entry)
        pax.apply(extended, entry)
        self._with_data(entry)
        if pax.has_map_in_data(extended):
            self._map_in_data(entry)
        if entry.regions is not None:
            sparse.check(entry.regions, entry.real_size, entry.size)
        return entry

    def _old_sparse(self, entry: Entry) -> None:
        """GNU's old form: four regions in the header, and more in blocks that follow it."""
        header = bytes(self._view[self._position - BLOCK_BYTES : self._position])
        entry.kind = FILE
        entry.regions, more = sparse.header_regions(header)
        real_size = sparse.header_real_size(header)
        while more:
            if not self._fill(BLOCK_BYTES):
                raise _truncated()
            block = bytes(self._view[self._position : self._position + BLOCK_BYTES])
            self._position += BLOCK_BYTES
            regions, more = sparse.extension_regions(block)
            entry.regions += regions
            if len(entry.regions) * 24 > SPECIAL_LIMIT_BYTES:
                raise ResourceExhausted("a sparse file in the archive has more regions than are allowed")
        entry.real_size = real_size

    def _map_in_data(self, entry: Entry) -> None:
        """Sparse 1.0: decimal lines in front of the data, filled up to a whole block."""
        parser = sparse.MapParser()
        while not parser.done:
            if self._left < BLOCK_BYTES or not self._fill(BLOCK_BYTES):
                raise _truncated()
            parser.feed(bytes(self._view[self._position : self._position + BLOCK_BYTES]))
            self._position += BLOCK_BYTES
            self._left -= BLOCK_BYTES
            entry.size -= BLOCK_BYTES
        entry.regions = pax.pairs(parser.numbers)

    def _skip(self) -> None:
        count = self._left + self._padding
        must = self._left
        self._left = self._padding = 0
        while count > self._end - self._position:
            have = self._end - self._position
            count -= have
            must -= have
            self._position = self._end
            if not self._more():
                if must > 0:
                    raise _truncated()
                return
        self._position += count

    def _check_end(self) -> None:
        """Two zero blocks end an archive; one that ends the stream does too, but not one with something after it."""
        if self._fill(2 * BLOCK_BYTES):
            start = self._position + BLOCK_BYTES
            if any(self._view[start : start + BLOCK_BYTES]):
                raise DataLoss("the archive is corrupt: a lone zero block")

    def _fill(self, count: int) -> bool:
        """Have at least `count` bytes at hand; False if the stream ends before."""
        while self._end - self._position < count:
            rest = bytes(self._view[self._position :])
            chunk = next(self._chunks, b"")
            if not chunk:
                return False
            self._set(rest + chunk if rest else chunk)
        return True

    def _more(self) -> bool:
        chunk = next(self._chunks, b"")
        self._set(chunk)
        return bool(chunk)

    def _set(self, buffer: bytes) -> None:
        self._view = memoryview(buffer)
        self._position = 0
        self._end = len(buffer)


def _truncated() -> DataLoss:
    return DataLoss("the archive is truncated")
