"""Copying a directory tree from a file system that is not ours to trust, by file descriptors alone.

Kept: kinds, owners, modes, times, extended attributes, hard links within the tree, holes. Left behind: the marks of
overlayfs, and sockets (nobody listens on a copy). Directories are opened by their path inside the root, so depth costs
neither stack nor descriptors.
"""

from __future__ import annotations

import errno
import os
from stat import S_ISDIR, S_ISLNK, S_ISREG, S_ISSOCK

from jubako.linux.openat2 import RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, openat2
from jubako.linux.xattr import read_xattrs, set_xattr

_OVERLAY_MARKS = ("trusted.overlay.", "user.overlay.")
_CHUNK = 1 << 30
_EXISTING = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def copy_tree(source_fd: int, target_fd: int) -> None:
    """Copy what is in the directory `source_fd`, and its own attributes, into the empty directory `target_fd`."""
    links: dict[tuple[int, int], str] = {}
    directories = ["."]
    for path in directories:
        source, target = _open_directory(source_fd, path), _open_directory(target_fd, path)
        try:
            for name in os.listdir(source):
                status = os.lstat(name, dir_fd=source)
                if S_ISDIR(status.st_mode):
                    os.mkdir(name, 0o700, dir_fd=target)
                    directories.append(f"{path}/{name}")
                elif not S_ISSOCK(status.st_mode):
                    _copy_entry(source, target, name, status, target_fd, f"{path}/{name}", links)
        finally:
            os.close(source)
            os.close(target)
    # Last, and deepest first: an entry made in a directory changes its times.
    for path in reversed(directories):
        source, target = _open_directory(source_fd, path), _open_directory(target_fd, path)
        try:
            copy_attributes(source, target, "", os.fstat(source))
        finally:
            os.close(source)
            os.close(target)


def _open_directory(root: int, path: str) -> int:
    return openat2(root, path, os.O_RDONLY | os.O_DIRECTORY, resolve=RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)


def _copy_entry(
    source: int,
    target: int,
    name: str,
    status: os.stat_result,
    root: int,
    path: str,
    links: dict[tuple[int, int], str],
) -> None:
    """Copy one entry that is not a directory, or link it to the copy that was made of its inode."""
    inode = (status.st_dev, status.st_ino)
    if inode in links:
        os.link(links[inode], name, src_dir_fd=root, dst_dir_fd=target, follow_symlinks=False)
        return
    if S_ISREG(status.st_mode):
        _copy_file(source, target, name)
    elif S_ISLNK(status.st_mode):
        os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
    else:
        os.mknod(name, status.st_mode, status.st_rdev, dir_fd=target)
    copy_attributes(source, target, name, status)
    if status.st_nlink > 1:
        links[inode] = path


def _copy_file(source: int, target: int, name: str) -> None:
    """Copy contents, holes as holes. O_NONBLOCK: a name that became a FIFO meanwhile must not block us."""
    reader = os.open(name, _EXISTING, dir_fd=source)
    try:
        writer = os.open(name, _NEW, 0o600, dir_fd=target)
        try:
            size = os.fstat(reader).st_size
            os.truncate(writer, size)
            end = 0
            while end < size and (start := _next_data(reader, end)) is not None:
                end = os.lseek(reader, start, os.SEEK_HOLE)
                _copy_range(reader, writer, start, end)
        finally:
            os.close(writer)
    finally:
        os.close(reader)


def _next_data(fd: int, offset: int) -> int | None:
    try:
        return os.lseek(fd, offset, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return None
        raise


def _copy_range(reader: int, writer: int, start: int, end: int) -> None:
    os.lseek(writer, start, os.SEEK_SET)
    while start < end:
        sent = os.sendfile(writer, reader, start, min(end - start, _CHUNK))
        if not sent:
            return
        start += sent


def copy_attributes(source: int, target: int, name: str, status: os.stat_result) -> None:
    """Give `name` in `target` (or, with an empty name, that directory) what it has in `source`."""
    path = name or "."
    os.chown(path, status.st_uid, status.st_gid, dir_fd=target, follow_symlinks=False)
    for attribute, value in read_xattrs(source, name).items():
        if not attribute.startswith(_OVERLAY_MARKS):
            set_xattr(target, name, attribute, value)
    if not S_ISLNK(status.st_mode):
        # After chown, which takes set-uid off; /proc because a mode can not be changed by name without following.
        os.chmod(f"/proc/self/fd/{target}/{path}", status.st_mode & 0o7777)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns), dir_fd=target, follow_symlinks=False)
