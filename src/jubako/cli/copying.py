"""`cp`: between a container and the local file system, both seen as roots with a path in them.

The archive of the source streams through a pipe into the destination; one thread writes it while this one extracts.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from jubako.cli.failure import Exit
from jubako.errors import NotFound
from jubako.image.layer import copy
from jubako.image.layer.threads import piped
from jubako.linux.openat2 import open_in_root

_LINKS = 40


@contextmanager
def local_root() -> Iterator[int]:
    fd = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def absolute(path: str) -> str:
    """The local path from the root, with a last `/` or `/.` kept: they say something."""
    whole = os.path.abspath(path)
    if path.endswith("/.") or path == ".":
        return f"{whole.rstrip('/')}/."
    return f"{whole.rstrip('/')}/" if path.endswith("/") else whole


class Side:
    """One end of a copy: a root, a path in it, and whom extracted files belong to (None: as archived)."""

    def __init__(self, root_fd: int, path: str, owner: tuple[int, int] | None = None) -> None:
        self.root_fd = root_fd
        self.path = path
        self.owner = owner

    def is_directory(self) -> bool:
        """Whether the source is a directory; a link counts as itself unless a slash follows. Raises NotFound."""
        follow = self.path.endswith(("/", "/."))
        try:
            fd = open_in_root(self.root_fd, self.path, os.O_PATH | (0 if follow else os.O_NOFOLLOW))
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound("path", self.path, message=f"lstat {self.path}: no such file or directory") from None
        try:
            return stat.S_ISDIR(os.fstat(fd).st_mode)
        finally:
            os.close(fd)

    def followed(self) -> str:
        """The path with the links that it ends in followed (`cp -L`)."""
        path = self.path
        for _ in range(_LINKS):
            target = self._link(path)
            if target is None:
                return path
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path.rstrip("/")), target))
        raise Exit(1, f"too many links in {self.path}")

    def _link(self, path: str) -> str | None:
        try:
            fd = open_in_root(self.root_fd, path, os.O_PATH | os.O_NOFOLLOW)
        except OSError:
            return None
        try:
            return os.readlink("", dir_fd=fd) if stat.S_ISLNK(os.fstat(fd).st_mode) else None
        finally:
            os.close(fd)


def transfer(source: Side, destination: Side, *, follow: bool) -> int:
    """Copy, and return how many bytes the archive took. Raises what kept it from being made or extracted."""
    label = source.path
    if follow:
        source = Side(source.root_fd, source.followed())
    placement = copy.place(destination.root_fd, destination.path, label, source_is_directory=source.is_directory())
    counted: list[_Counter] = []

    def archive(out: BinaryIO) -> None:
        counted.append(_Counter(out))
        copy.archive_path(source.root_fd, source.path, cast(BinaryIO, counted[0]), name=placement.name)

    with piped(archive) as stream:
        copy.extract_into(destination.root_fd, placement.directory, stream, owner=destination.owner)
    return counted[0].count


class _Counter:
    """Counts what is written."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.count = 0

    def write(self, data: bytes) -> int:
        self.count += len(data)
        return self._out.write(data)
