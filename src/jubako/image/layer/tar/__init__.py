"""Our own tar code: a reader and a writer that are fast enough for images, and exact enough for their digests."""

from jubako.image.layer.tar.entry import BLOCK, CHAR, DIRECTORY, FIFO, FILE, HARDLINK, SYMLINK, Entry
from jubako.image.layer.tar.reader import Reader
from jubako.image.layer.tar.writer import Writer

__all__ = [
    "BLOCK",
    "CHAR",
    "DIRECTORY",
    "FIFO",
    "FILE",
    "HARDLINK",
    "SYMLINK",
    "Entry",
    "Reader",
    "Writer",
]
