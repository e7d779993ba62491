"""`cp`: between a container and the local file system, both seen as roots with a path in them.

The archive of the source streams through a pipe into the destination; one thread writes it while this one extracts.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import BinaryIO, cast

from jubako.cli.failure import Exit
from jubako.errors import NotFound
from jubako.image.layer import copy
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
    archiver = _Archiver(source, placement.name)
    with archiver as stream:
        copy.extract_into(destination.root_fd, placement.directory, stream, owner=destination.owner)
    return archiver.count


class _Archiver:
    """Writes the archive of `source` in a thread, for the `with` block to read; `count` is the bytes so far."""

    def __init__(self, source: Side, name: str) -> None:
        self.source = source
        self.name = name
        self.count = 0
        self.failure: BaseException | None = None

    def __enter__(self) -> BinaryIO:
        reading, writing = os.pipe()
        self.stream = open(reading, "rb")
        self.out = open(writing, "wb")
        self.thread = Thread(target=self._archive)
        self.thread.start()
        return self.stream

    def write(self, data: bytes) -> int:
        self.count += len(data)
        return self.out.write(data)

    def _archive(self) -> None:
        try:
            with self.out:
                copy.archive_path(self.source.root_fd, self.source.path, cast(BinaryIO, self), name=self.name)
        except BrokenPipeError:
            # The extraction stopped before the end and says why.
            return
        except BaseException as failure:
            self.failure = failure

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.stream.close()
        self.thread.join()
        if self.failure is not None:
            raise self.failure from None
