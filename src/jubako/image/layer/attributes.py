"""Owners, modes, times and extended attributes of what is extracted, and when setting them can be left out."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

from jubako.errors import InvalidArgument
from jubako.image.layer.tar.entry import SYMLINK, Entry
from jubako.image.layer.tree import show
from jubako.linux import xattr

OVERLAY_MARKS = ("trusted.overlay.", "user.overlay.")
"""Attributes by which overlayfs steers itself. From an image they could redirect a directory: never set, never kept."""

_SECURITY, _CAPABILITY = "security.", "security.capability"
_SPECIAL_BITS = 0o7000
_OWNER_LIMIT = (1 << 32) - 2
# The file system has no such attribute, or we (in a user namespace) may not set it: the file is good without, as in
# Docker.
_TOLERATED = (errno.ENOTSUP, errno.EPERM)


class Attributes:
    """For a tree beneath `root_fd`.

    `own` is the owner that files get by being made, or None when that can not be told. A mode with a bit of `inexact`
    must be set after the file is made; others come out right.
    """

    def __init__(self, root_fd: int, *, fresh: bool) -> None:
        """`fresh`: nothing is in the tree yet, so that no directory of it hands down a group or an access list."""
        root = os.fstat(root_fd)
        plain = fresh and not root.st_mode & stat.S_ISGID and "system.posix_acl_default" not in _list(root_fd)
        self.own = (os.geteuid(), os.getegid()) if plain else None
        self.inexact = _umask() | _SPECIAL_BITS if plain else 0o7777

    def finish(self, parent_fd: int, base: bytes, entry: Entry) -> None:
        """Everything of what has no fd: links and devices."""
        name = os.fsdecode(base)
        if (entry.uid, entry.gid) != self.own:
            os.chown(base, *owner_of(entry), dir_fd=parent_fd, follow_symlinks=False)
        if entry.mode & self.inexact and entry.kind != SYMLINK:
            _chmod(parent_fd, base, entry.mode)
        _set_all(entry, lambda attribute, value: xattr.set_xattr(parent_fd, name, attribute, value))
        os.utime(base, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=parent_fd, follow_symlinks=False)

    def set_xattrs(self, fd: int, entry: Entry) -> None:
        """After the owner and the data, both of which take capabilities away."""
        _set_all(entry, lambda attribute, value: os.setxattr(fd, attribute, value))

    def dress_directory(self, fd: int, entry: Entry) -> None:
        """Everything of a directory that is now filled."""
        os.fchown(fd, *owner_of(entry))
        os.fchmod(fd, entry.mode)
        self.set_xattrs(fd, entry)
        os.utime(fd, ns=(entry.mtime_ns, entry.mtime_ns))


def _chmod(parent_fd: int, base: bytes, mode: int) -> None:
    """chmod(2) by name follows links, and in a running container one may have taken the name's place: by fd."""
    fd = os.open(base, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent_fd)
    try:
        os.chmod(f"/proc/self/fd/{fd}", mode)
    except OSError as error:
        if error.errno != errno.ENOTSUP:  # it is a link now, which has no mode
            raise
    finally:
        os.close(fd)


def owner_of(entry: Entry) -> tuple[int, int]:
    """The owner, once it is sure that chown(2) takes it as one: the highest number means "leave it"."""
    if max(entry.uid, entry.gid) > _OWNER_LIMIT:
        raise InvalidArgument(f"the archive entry {show(entry.name)} has an impossible owner: {entry.uid}:{entry.gid}")
    return entry.uid, entry.gid


def _set_all(entry: Entry, set_one: Callable[[str, bytes], None]) -> None:
    for attribute, value in entry.xattrs.items():
        if _wanted(attribute):
            try:
                set_one(attribute, value)
            except OSError as error:
                if error.errno not in _TOLERATED:
                    raise


def _wanted(name: str) -> bool:
    """Labels and signatures are this host's to give (selinux, ima); of security.* only capabilities are the image's."""
    return not name.startswith(OVERLAY_MARKS) and (name == _CAPABILITY or not name.startswith(_SECURITY))


def _list(fd: int) -> list[str]:
    try:
        return os.listxattr(fd)
    except OSError:
        return []


def _umask() -> int:
    """os.umask() can only be read by setting it, for all threads."""
    with open("/proc/self/status", "rb") as status:
        for line in status:
            if line.startswith(b"Umask:"):
                return int(line.split()[1], 8)
    return 0o777
