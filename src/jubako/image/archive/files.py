"""The named files of an image archive, whether it is a tar, a compressed tar, a pipe or a directory.

Model:       everything is first made a regular file or a directory: a pipe or a compressed archive is spooled to the
             store's ingest directory. Members are then read by offset, from several threads at once if need be.
Safety:      a member's name is only ever looked up in an index of ours; no path is made of it. In a directory, names
             are resolved inside it.
"""

from __future__ import annotations

import io
import os
import posixpath
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from jubako.errors import DataLoss, InvalidArgument, NotFound
from jubako.image.layer.codec import decompressed, detect
from jubako.image.layer.tar.entry import FILE, HARDLINK, SYMLINK, Entry
from jubako.image.layer.tar.seekable import SeekableReader
from jubako.linux.openat2 import open_in_root
from jubako.store import Store
from jubako.store.failure import explained

_LINKS = 16
_MAGIC_BYTES = 6


class Files(Protocol):
    def __contains__(self, name: str) -> bool: ...

    def open(self, name: str) -> BinaryIO:
        """A reader of the member; the caller closes it. DataLoss if the archive does not have it."""

    def read(self, name: str, limit: int) -> bytes:
        """A small member whole; InvalidArgument over `limit` bytes."""
        with self.open(name) as stream:
            return _limited(stream, name, limit)


class Member(msgspec.Struct, frozen=True):
    offset: int
    size: int


class TarFiles(Files):
    """The members of the uncompressed archive that begins at `start` of `fd`, which stays the caller's."""

    def __init__(self, fd: int, start: int = 0) -> None:
        self._fd = fd
        self._members: dict[str, Member] = {}
        self._links: dict[str, str] = {}
        for entry, reader in _entries(fd, start):
            name = _clean(os.fsdecode(entry.name))
            link = os.fsdecode(entry.link)
            if entry.kind == FILE:
                self._members[name] = Member(reader.offset, entry.size)
            elif entry.kind == HARDLINK:
                self._links[name] = _clean(link)
            elif entry.kind == SYMLINK:
                # Docker links a layer that an image has twice: ../<other>/layer.tar
                self._links[name] = _clean(posixpath.join(posixpath.dirname(name), link))

    def __contains__(self, name: str) -> bool:
        return self._find(name) is not None

    def __len__(self) -> int:
        return len(self._members)

    def open(self, name: str) -> BinaryIO:
        member = self._find(name)
        if member is None:
            raise DataLoss(f"the archive has no {name[:200]!r}, which it refers to")
        return io.BufferedReader(_Slice(self._fd, member), 1 << 17)

    def _find(self, name: str) -> Member | None:
        name = _clean(name)
        for _ in range(_LINKS):
            if name not in self._links:
                break
            name = self._links[name]
        return self._members.get(name)


def _entries(fd: int, start: int) -> Iterator[tuple[Entry, SeekableReader]]:
    """Each entry, and the reader that stands at it."""
    reader = SeekableReader(fd, start)
    try:
        entry = reader.next()
    except DataLoss as error:
        raise InvalidArgument("the file is not an image archive: it does not begin as a tar") from error
    while entry is not None:
        yield entry, reader
        entry = reader.next()


class DirectoryFiles(Files):
    """The files beneath a directory."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def __contains__(self, name: str) -> bool:
        try:
            os.close(open_in_root(self._fd, name, os.O_PATH))
        except OSError:
            return False
        return True

    def open(self, name: str) -> BinaryIO:
        try:
            fd = open_in_root(self._fd, name, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            raise DataLoss(f"the layout has no {name[:200]!r}, which it refers to") from None
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise InvalidArgument(f"{name[:200]!r} in the layout is not a file")
        return open(fd, "rb")


class _Slice(io.RawIOBase):
    """One member, read by pread."""

    def __init__(self, fd: int, member: Member) -> None:
        self._fd = fd
        self._position = member.offset
        self._left = member.size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = os.preadv(self._fd, [buffer[: self._left]], self._position)
        if not count and self._left and len(buffer):
            raise DataLoss("the archive is truncated")
        self._position += count
        self._left -= count
        return count


@contextmanager
def opened(store: Store, source: BinaryIO | Path) -> Iterator[Files]:
    """Lend the files of `source`: an archive or directory at a path, or an archive that is being read."""
    if not isinstance(source, Path):
        with _as_file(store, source) as (fd, start):
            yield TarFiles(fd, start)
        return
    try:
        with explained("read", source):
            fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFound("file", str(source), message=f"open {source}: no such file or directory") from None
    with open(fd, "rb", closefd=True) if not stat.S_ISDIR(os.fstat(fd).st_mode) else _directory(fd) as stream:
        if isinstance(stream, int):
            yield DirectoryFiles(stream)
            return
        with _as_file(store, stream) as (plain_fd, start):
            yield TarFiles(plain_fd, start)


@contextmanager
def _directory(fd: int) -> Iterator[int]:
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def _as_file(store: Store, stream: BinaryIO) -> Iterator[tuple[int, int]]:
    """Lend an fd of a regular, uncompressed file, and where in it the archive begins."""
    found = _regular(stream)
    if found is not None:
        fd, start = found
        if detect(os.pread(fd, _MAGIC_BYTES, start)) == "none":
            yield fd, start
            return
    with store.ingest.workspace() as workspace:
        path = workspace.path / "archive"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with explained("write to", path):
                for chunk in decompressed(stream):
                    _write(fd, chunk)
            yield fd, 0
        finally:
            os.close(fd)


def _regular(stream: BinaryIO) -> tuple[int, int] | None:
    try:
        fd = stream.fileno()
        return (fd, stream.tell()) if stat.S_ISREG(os.fstat(fd).st_mode) else None
    except (OSError, AttributeError):
        return None


def _write(fd: int, data: bytes) -> None:
    done = os.write(fd, data)
    while done < len(data):
        done += os.write(fd, memoryview(data)[done:])


def _clean(name: str) -> str:
    return posixpath.normpath("/" + name).lstrip("/")


def _limited(stream: BinaryIO, name: str, limit: int) -> bytes:
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise InvalidArgument(f"{name[:200]!r} in the archive is larger than {limit >> 20} MB")
    return data
