"""Files in and out of a container's root, as `docker cp` and its API move them: always as a tar stream.

Safety: every path is resolved inside the root, links included, and used by its fd (CVE-2018-15664); nothing of the
        container is run or loaded (CVE-2019-14271).
Names:  an archive of `/a/b` has `b` and `b/…`; one of `/a/b/.` has `./` and `./…`, the content alone.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import msgspec

from jubako.errors import InvalidArgument, NotFound
from jubako.image.layer.failure import meaning
from jubako.image.layer.tar.writer import Writer
from jubako.image.layer.tree import Tree
from jubako.image.layer.unpacking import extract_into as extract_beneath
from jubako.image.layer.walker import Walker
from jubako.linux.openat2 import open_in_root

_LINKS = 40


def extract_into(
    root_fd: int, path: str, stream: BinaryIO, *, owner: tuple[int, int] | None = None, keep_kinds: bool = True
) -> None:
    """Extract the archive in `stream` into the directory `path` of the root; see layer.extract_into for the rest.

    NotFound if there is no `path`, InvalidArgument if it is not a directory.
    """
    with _opened(root_fd, path) as fd:
        tree = Tree(fd, top_fd=root_fd, at=os.fsencode(_normal(path)).strip(b"/"))
        extract_beneath(fd, stream, owner=owner, keep_kinds=keep_kinds, tree=tree)


def archive_path(root_fd: int, path: str, out: BinaryIO, *, name: str | None = None) -> None:
    """Write what `path` in the root is to `out` as an archive, everything beneath included. Raises NotFound.

    A link goes as a link, unless `path` ends in a slash. `name` takes the place of the path's last component; "." is
    the content of a directory alone.
    """
    writer = Writer(out.write)
    walker = Walker(writer, live=True)
    parent, base = posixpath.split(_normal(path))
    if path.endswith(("/", "/.")) or not base:
        label = os.fsencode(name or ("." if path.endswith("/.") or not base else base))
        with _opened(root_fd, path) as fd:
            walker.directory(fd, label)
            walker.tree(fd, label + b"/")
    else:
        with _opened(root_fd, parent) as fd:
            try:
                walker.one(fd, os.fsencode(base), os.fsencode(name or base))
            except FileNotFoundError:
                raise _missing(path) from None
    writer.finish()


def archive_root(root_fd: int, out: BinaryIO) -> None:
    """Write all that is in the root to `out` as an archive; names begin with what is in it."""
    writer = Writer(out.write)
    Walker(writer, live=True).tree(root_fd)
    writer.finish()


class Placement(msgspec.Struct, frozen=True):
    """Where a copy goes: into which directory it is extracted, and under which name the source is archived."""

    directory: str
    name: str


def place(root_fd: int, path: str, source: str, *, source_is_directory: bool) -> Placement:
    """What `docker cp SOURCE PATH` means, given what `path` in the root is now. Raises NotFound, InvalidArgument."""
    target = _real_target(root_fd, path)
    content_only = source.endswith("/.") or source in (".", "/")
    name = "." if content_only and source_is_directory else posixpath.basename(posixpath.normpath(source))
    kind = _kind(root_fd, target)
    if kind == stat.S_IFDIR:
        return Placement(target, name)
    if kind is not None and source_is_directory:
        raise InvalidArgument("cannot copy directory")
    if kind is not None and _asserts_directory(path):
        raise InvalidArgument(f"not a directory: {path}")
    if kind is None and _asserts_directory(path) and not source_is_directory:
        raise NotFound("directory", path, message=f"no such directory: {path}")
    directory, base = posixpath.split(target)
    if _kind(root_fd, directory) != stat.S_IFDIR:
        raise _missing(directory)
    return Placement(directory, base)


def _real_target(root_fd: int, path: str) -> str:
    """`path` with the links that it ends in followed, also one to what is not there yet."""
    target = _normal(path)
    for _ in range(_LINKS):
        parent, base = posixpath.split(target)
        try:
            with _opened(root_fd, parent) as fd:
                link = os.readlink(base, dir_fd=fd) if base else None
        except (OSError, NotFound):
            link = None
        if link is None:
            return target
        target = _normal(posixpath.join(parent, link))
    raise InvalidArgument(f"too many links: {path}")


def _kind(root_fd: int, path: str) -> int | None:
    try:
        fd = open_in_root(root_fd, path, os.O_PATH)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise meaning(error, "open", os.fsencode(path)) from error
    try:
        return stat.S_IFMT(os.fstat(fd).st_mode)
    finally:
        os.close(fd)


@contextmanager
def _opened(root_fd: int, path: str) -> Iterator[int]:
    """Lend an fd of the directory `path` in the root."""
    try:
        fd = open_in_root(root_fd, path, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        raise _missing(path) from None
    except OSError as error:
        raise meaning(error, "open", os.fsencode(path)) from error
    try:
        yield fd
    finally:
        os.close(fd)


def _normal(path: str) -> str:
    return "/" + posixpath.normpath("/" + path).lstrip("/")


def _asserts_directory(path: str) -> bool:
    return path.endswith(("/", "/."))


def _missing(path: str) -> NotFound:
    return NotFound("path", path, message=f"Could not find the file {path} in the container")
