"""A directory tree becomes entries, in one order, following nothing.

Determinism: names are sorted as bytes, times are whole seconds (as in Docker's layers), owners are numbers. Two trees
             with the same content give the same archive.
Safety:      the tree may be changing: what is opened is what is described, and exactly its size is written. Devices
             are never opened, wherever the tree is said to be `live`.
"""

from __future__ import annotations

import os
import stat

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.image.layer.attributes import OVERLAY_MARKS
from jubako.image.layer.failure import meaning
from jubako.image.layer.tar.entry import BLOCK, CHAR, DIRECTORY, FIFO, FILE, HARDLINK, NANOSECONDS, SYMLINK, Entry
from jubako.image.layer.tar.writer import Writer
from jubako.image.layer.tree import show
from jubako.image.layer.whiteouts import OPAQUE, PREFIX
from jubako.linux import xattr
from jubako.linux.openat2 import ONE_NAME, open_regular

_OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PIECE_BYTES = 1 << 20
_KEPT_XATTRS = ("user.", "security.capability", "system.posix_acl_")
_LOSSY_MARKS = ("overlay.redirect", "overlay.metacopy")
_NODE_KINDS = {stat.S_IFCHR: CHAR, stat.S_IFBLK: BLOCK, stat.S_IFIFO: FIFO}

_Children = list[tuple[bytes, int]]
"""Names in reverse order, to be popped, each with stat.S_IFREG, stat.S_IFDIR or 0 for the rest."""


class Walker:
    """Writes what is beneath a directory fd to a tar writer.

    With `overlay_prefix` ("trusted." or "user.") the tree is an overlay's upper directory, and overlay's whiteouts
    become those of image layers; with None a 0:0 device is a device. No time is later than `newest_s`.
    In a `live` tree a device may have taken a file's place: not to open it takes two more calls for each file.
    """

    def __init__(
        self, writer: Writer, *, overlay_prefix: str | None = None, newest_s: int | None = None, live: bool = False
    ) -> None:
        self._writer = writer
        self._opaque = f"{overlay_prefix}overlay.opaque" if overlay_prefix else None
        self._lossy = {f"{overlay_prefix}{mark}" for mark in _LOSSY_MARKS} if overlay_prefix else set()
        self._newest_s = newest_s
        self._live = live
        self._links: dict[tuple[int, int], bytes] = {}
        self.entries = 0
        self.size_bytes = 0

    def tree(self, root_fd: int, prefix: bytes = b"") -> None:
        """Write what is beneath `root_fd`, named from `prefix` (empty, or ending in a slash); not the root itself."""
        root = os.open(b".", _OPEN_DIRECTORY, dir_fd=root_fd)
        stack = [(root, prefix, _children(root))]
        path = prefix
        try:
            while stack:
                fd, prefix, children = stack[-1]
                if not children:
                    os.close(fd)
                    stack.pop()
                    continue
                base, kind = children.pop()
                path = prefix + base
                below = self._one(fd, base, path, kind)
                if below is not None:
                    stack.append((below, path + b"/", []))
                    if not _is_kernel_view(fd, below):
                        stack[-1][2].extend(_children(below))
        except OSError as error:
            if error is self._writer.failure:
                raise
            raise meaning(error, "archive", path) from error
        finally:
            for fd, _, _ in stack:
                os.close(fd)

    def one(self, parent_fd: int, base: bytes, path: bytes) -> None:
        """Write what `base` is, called `path`, with everything beneath it if it is a directory."""
        kind = stat.S_IFMT(os.lstat(base, dir_fd=parent_fd).st_mode)
        below = self._one(parent_fd, base, path, kind)
        if below is not None:
            try:
                if not _is_kernel_view(parent_fd, below):
                    self.tree(below, path + b"/")
            finally:
                os.close(below)

    def directory(self, fd: int, path: bytes) -> None:
        """Write the entry of an open directory alone, and that it is opaque."""
        status = os.fstat(fd)
        entry = self._entry(path + b"/", DIRECTORY, status)
        names = os.listxattr(fd)
        if names:
            self._keep_xattrs(entry, {name: os.getxattr(fd, name) for name in names})
        self._add(entry)
        if self._opaque in names and os.getxattr(fd, self._opaque) == b"y":
            self._add(Entry(path + b"/" + OPAQUE, FILE, 0o600, mtime_ns=entry.mtime_ns))

    def _one(self, parent_fd: int, base: bytes, path: bytes, kind: int) -> int | None:
        """Write one entry; of a directory return an open fd."""
        if self._opaque and base.startswith(PREFIX):
            raise InvalidArgument(f"{show(path)} can not be in a layer: names that begin with .wh. mean a deletion")
        try:
            if kind == stat.S_IFREG:
                self._file(parent_fd, base, path)
            elif kind == stat.S_IFDIR:
                return self._open_directory(parent_fd, base, path)
            else:
                self._node(parent_fd, base, path, os.lstat(base, dir_fd=parent_fd))
        except FileNotFoundError:
            # It was deleted since the directory was read.
            pass
        return None

    def _open_directory(self, parent_fd: int, base: bytes, path: bytes) -> int:
        fd = os.open(base, _OPEN_DIRECTORY, dir_fd=parent_fd)
        try:
            self.directory(fd, path)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def _file(self, parent_fd: int, base: bytes, path: bytes) -> None:
        fd = self._open_file(parent_fd, base)
        if fd is None:
            self._node(parent_fd, base, path, os.lstat(base, dir_fd=parent_fd))
            return
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                self._node(parent_fd, base, path, status)
                return
            if status.st_nlink > 1 and self._linked(path, status):
                return
            entry = self._entry(path, FILE, status)
            entry.size = status.st_size
            names = os.listxattr(fd)
            if names:
                self._keep_xattrs(entry, {name: os.getxattr(fd, name) for name in names})
            self._add(entry)
            self._copy(fd, entry.size)
        finally:
            os.close(fd)

    def _open_file(self, parent_fd: int, base: bytes) -> int | None:
        if self._live:
            return open_regular(parent_fd, base, resolve=ONE_NAME)
        return os.open(base, _OPEN_FILE, dir_fd=parent_fd)

    def _copy(self, fd: int, size: int) -> None:
        """Exactly `size` bytes: a file that shrank meanwhile is filled up with zeros."""
        self.size_bytes += size
        while size:
            data = os.read(fd, min(size, _PIECE_BYTES))
            if not data:
                data = bytes(min(size, _PIECE_BYTES))
            self._writer.write(data)
            size -= len(data)

    def _linked(self, path: bytes, status: os.stat_result) -> bool:
        """Write a hard link if this file was written before under another name."""
        first = self._links.setdefault((status.st_dev, status.st_ino), path)
        if first == path:
            return False
        entry = self._entry(path, HARDLINK, status)
        entry.link = first
        self._add(entry)
        return True

    def _node(self, parent_fd: int, base: bytes, path: bytes, status: os.stat_result) -> None:
        if stat.S_ISLNK(status.st_mode):
            entry = self._entry(path, SYMLINK, status)
            entry.link = os.readlink(base, dir_fd=parent_fd)
        elif self._opaque and stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
            entry = self._entry(path[: len(path) - len(base)] + PREFIX + base, FILE, status)
            entry.mode = 0o600
        elif stat.S_IFMT(status.st_mode) in _NODE_KINDS:
            if status.st_nlink > 1 and self._linked(path, status):
                return
            entry = self._entry(path, _NODE_KINDS[stat.S_IFMT(status.st_mode)], status)
            entry.device = (os.major(status.st_rdev), os.minor(status.st_rdev))
        else:
            # Sockets mean nothing without the process that listens. As Docker.
            return
        self._keep_xattrs(entry, xattr.read_xattrs(parent_fd, os.fsdecode(base)))
        self._add(entry)

    def _entry(self, path: bytes, kind: bytes, status: os.stat_result) -> Entry:
        seconds = int(status.st_mtime_ns // NANOSECONDS)
        if self._newest_s is not None and seconds > self._newest_s:
            seconds = self._newest_s
        return Entry(path, kind, status.st_mode & 0o7777, status.st_uid, status.st_gid, 0, seconds * NANOSECONDS)

    def _keep_xattrs(self, entry: Entry, found: dict[str, bytes]) -> None:
        if self._lossy & found.keys():
            raise FailedPrecondition(
                f"{show(entry.name)} holds only a reference to a lower layer and can not be archived",
                hint="the overlay must be mounted with redirect_dir=off and metacopy=off",
            )
        for name, value in found.items():
            if name.startswith(_KEPT_XATTRS) and not name.startswith(OVERLAY_MARKS):
                entry.xattrs[name] = value

    def _add(self, entry: Entry) -> None:
        self._writer.add(entry)
        self.entries += 1


def _children(fd: int) -> _Children:
    with os.scandir(fd) as entries:
        found = [(os.fsencode(entry.name), _kind(entry)) for entry in entries]
    found.sort(reverse=True)
    return found


def _is_kernel_view(parent_fd: int, fd: int) -> bool:
    """Whether `fd` is where /proc, /sys or the like is mounted: no blocks, and files that are not what they say."""
    return os.fstat(fd).st_dev != os.fstat(parent_fd).st_dev and os.fstatvfs(fd).f_blocks == 0


def _kind(entry: os.DirEntry[str]) -> int:
    """From the directory itself, without a system call on most file systems."""
    if entry.is_file(follow_symlinks=False):
        return stat.S_IFREG
    return stat.S_IFDIR if entry.is_dir(follow_symlinks=False) else 0
