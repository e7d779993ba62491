"""Directories of the tree that is being written, by path, as file descriptors.

Safety:   every directory is entered from its parent's fd without following links, or by openat2 inside the root. A path
          in an archive is never handed to the kernel whole, so no name leads out of the root, whatever the tree holds.
Speed:    archives list a directory's children together; a cached fd makes the parent of most entries cost a lookup.
Limit:    a cache of FDS descriptors, the oldest closed first; several trees may be open within an ordinary ulimit.
"""

from __future__ import annotations

import errno
import os
import stat

from jubako.errors import InvalidArgument, ResourceExhausted
from jubako.linux.openat2 import mkdirs_in_root, open_in_root

_FDS = 120
_PATH_LIMIT = 1 << 14
"""Four times what the kernel takes at once: each directory is entered from its parent."""
_KERNEL_PATH_LIMIT = 4096
_ENTER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Tree:
    """A tree beneath `root_fd`, which stays the caller's.

    It may be a part of a greater one, in which links lead where they lead there: `top_fd`, with the root at `at`.
    """

    def __init__(
        self, root_fd: int, *, top_fd: int | None = None, at: bytes = b"", implied_limit: int = 1 << 22
    ) -> None:
        self.root_fd = root_fd
        self._top_fd = root_fd if top_fd is None else top_fd
        self._at = at + b"/" if at else b""
        self.fds: dict[bytes, int] = {}
        """Clean paths to fds: read it to save a call, then call directory()."""
        self.implied: list[bytes] = []
        """Clean paths of directories that were made because something is in them; who reads it clears it."""
        self._implied_left = implied_limit

    def close(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drop what is known: a directory was replaced or removed."""
        for fd in self.fds.values():
            os.close(fd)
        self.fds.clear()

    def directory(self, path: bytes) -> int:
        """An fd of the directory at clean `path`, made with its parents if missing; valid until the next call here.

        Symbolic links on the way are followed inside the root, as in a chroot.
        """
        known = self.fds.get(path)
        if known is not None:
            return known
        if not path:
            return self.root_fd
        parts = path.split(b"/")
        depth, fd = self._deepest_known(parts)
        for end in range(depth + 1, len(parts) + 1):
            prefix = b"/".join(parts[:end])
            fd = self._enter(fd, parts[end - 1], prefix)
            self._keep(prefix, fd)
        return fd

    def place(self, name: bytes) -> tuple[int, bytes, bytes]:
        """For an entry's name: the fd of its parent, its own name there, and the clean path ("" is the root)."""
        path = clean(name)
        parent, _, base = path.rpartition(b"/")
        return self.directory(parent), base, path

    def _deepest_known(self, parts: list[bytes]) -> tuple[int, int]:
        for depth in range(len(parts) - 1, 0, -1):
            fd = self.fds.get(b"/".join(parts[:depth]))
            if fd is not None:
                return depth, fd
        return 0, self.root_fd

    def _enter(self, parent: int, name: bytes, path: bytes) -> int:
        try:
            return os.open(name, _ENTER, dir_fd=parent)
        except FileNotFoundError:
            self._implied_left -= 1
            if self._implied_left < 0:
                raise ResourceExhausted("the archive makes more directories than are allowed") from None
            os.mkdir(name, 0o755, dir_fd=parent)
            self.implied.append(path)
            return os.open(name, _ENTER, dir_fd=parent)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
            return self._enter_link(parent, name, path)

    def _enter_link(self, parent: int, name: bytes, path: bytes) -> int:
        """`name` is not a directory; if it is a link, it is followed inside the root."""
        if not stat.S_ISLNK(os.lstat(name, dir_fd=parent).st_mode):
            raise InvalidArgument(f"the archive has entries beneath {show(path)}, which is not a directory")
        if len(path) >= _KERNEL_PATH_LIMIT:
            raise InvalidArgument(f"the archive has entries beneath a link that lies too deep to follow: {show(path)}…")
        try:
            return open_in_root(self._top_fd, self._at + path, os.O_PATH | os.O_DIRECTORY)
        except FileNotFoundError:
            return mkdirs_in_root(self._top_fd, self._at + path)

    def _keep(self, path: bytes, fd: int) -> None:
        if len(self.fds) >= _FDS:
            oldest = next(iter(self.fds))
            os.close(self.fds.pop(oldest))
        self.fds[path] = fd


def clean(name: bytes) -> bytes:
    """`name` without ".", "..", doubled and outer slashes; "" is the root. InvalidArgument if it leads out."""
    if len(name) > _PATH_LIMIT:
        raise InvalidArgument(f"a name in the archive is longer than {_PATH_LIMIT} bytes: {show(name)}…")
    parts: list[bytes] = []
    for part in name.split(b"/"):
        if part == b"..":
            if parts:
                parts.pop()
            elif not name.startswith(b"/"):
                raise InvalidArgument(f"the archive entry {show(name)} leads out of the root")
        elif part and part != b".":
            parts.append(part)
    return b"/".join(parts)


def show(name: bytes) -> str:
    """A name for a message: short, and without control characters."""
    return repr(name[:200].decode("utf-8", "backslashreplace"))
