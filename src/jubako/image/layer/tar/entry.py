"""What one member of an archive is, whatever format its header had."""

from __future__ import annotations

FILE = b"0"
HARDLINK = b"1"
SYMLINK = b"2"
CHAR = b"3"
BLOCK = b"4"
DIRECTORY = b"5"
FIFO = b"6"

BLOCK_BYTES = 512
NANOSECONDS = 1_000_000_000
SPECIAL_LIMIT_BYTES = 1 << 20
"""No long name, PAX header or sparse map is larger than this, nor all that precede one entry (Go's cap is the same)."""

_TIME_LIMIT_NS = (1 << 40) * NANOSECONDS


def clamped_time(time_ns: int) -> int:
    """A time that utimensat(2) takes; what the file system can not hold the kernel clamps further."""
    return max(-_TIME_LIMIT_NS, min(time_ns, _TIME_LIMIT_NS))


Regions = list[tuple[int, int]]
"""Where the data of a sparse file goes: offset and length of each piece, in order, without overlap."""


class Entry:
    """Names are bytes as they stand in the archive. `size` counts the data that follows in the archive.

    For a sparse file `regions` says where that data goes in a file of `real_size` bytes; otherwise it is None.
    """

    __slots__ = (
        "device",
        "gid",
        "kind",
        "link",
        "mode",
        "mtime_ns",
        "name",
        "real_size",
        "regions",
        "size",
        "uid",
        "xattrs",
    )

    def __init__(
        self,
        name: bytes,
        kind: bytes = FILE,
        mode: int = 0o644,
        uid: int = 0,
        gid: int = 0,
        size: int = 0,
        mtime_ns: int = 0,
        link: bytes = b"",
        device: tuple[int, int] = (0, 0),
    ) -> None:
        self.name = name
        self.kind = kind
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.size = size
        self.mtime_ns = mtime_ns
        self.link = link
        self.device = device
        self.xattrs: dict[str, bytes] = {}
        self.regions: Regions | None = None
        self.real_size = size
