"""The one path resolver: openat2(2) with RESOLVE_IN_ROOT.

Every path that a container, an image or an archive can influence is opened through here and then used by its fd: no
symbolic link, absolute path or ".." leads out of the root, and no race between a check and a use exists.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct

from jubako.linux import syscall as sys
from jubako.linux.syscall import syscall

RESOLVE_NO_XDEV = 0x01
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08
RESOLVE_IN_ROOT = 0x10
IN_ROOT = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS
ONE_NAME = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS

_LINKS = 40
_DIRECTORY = os.O_PATH | os.O_DIRECTORY


def openat2(dir_fd: int, path: str | bytes, flags: int, mode: int = 0, *, resolve: int = 0) -> int:
    """Return a close-on-exec fd; the caller closes it."""
    how = struct.pack("QQQ", flags | os.O_CLOEXEC, mode, resolve)
    buffer = ctypes.create_string_buffer(how, len(how))
    while True:
        try:
            return syscall(sys.OPENAT2, dir_fd, os.fsencode(path), buffer, len(how), path=os.fsdecode(path))
        except BlockingIOError:
            # A rename or mount anywhere on the host crossed a "..": openat2(2), EAGAIN. Ask again.
            continue


def open_in_root(root_fd: int, path: str | bytes, flags: int, mode: int = 0) -> int:
    """Open `path` as if `root_fd` were "/"; the caller closes the fd."""
    return openat2(root_fd, path or ".", flags, mode, resolve=IN_ROOT)


def open_regular(dir_fd: int, path: str | bytes, *, resolve: int = IN_ROOT) -> int | None:
    """Open for reading what must be a regular file; None where it is something else.

    A device acts when it is opened (a watchdog begins to count), and we are in no container's device cgroup: so it is
    looked at before it is opened. A FIFO would let its writers go on.
    """
    fd = openat2(dir_fd, path, os.O_PATH, resolve=resolve)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        return os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(fd)


def mkdirs_in_root(root_fd: int, path: str | bytes, mode: int = 0o755, *, owner: tuple[int, int] | None = None) -> int:
    """Make `path` and its missing parents inside the root and return an O_PATH fd of it; the caller closes it.

    A symbolic link to nowhere gets its target made, inside the root. What exists is not changed.
    """
    try:
        return open_in_root(root_fd, path, _DIRECTORY)
    except FileNotFoundError:
        pass
    done, pending, links = "", _parts(os.fsdecode(path)), 0
    while pending:
        name = pending.pop()
        target = _make(root_fd, done, name, mode, owner)
        if target is None:
            done = f"{done}{name}/"
            continue
        links += 1
        if links > _LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fsdecode(path))
        pending += _parts(target)
        if target.startswith("/"):
            done = ""
    return open_in_root(root_fd, done, _DIRECTORY)


def _parts(path: str) -> list[str]:
    """Return the components of a path, the first one last."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _make(root_fd: int, parent: str, name: str, mode: int, owner: tuple[int, int] | None) -> str | None:
    """See to it that `name` in `parent` is a directory; if it is a link to nowhere return its target instead."""
    try:
        os.close(open_in_root(root_fd, parent + name, _DIRECTORY))
        return None
    except FileNotFoundError:
        pass
    fd = open_in_root(root_fd, parent, _DIRECTORY)
    try:
        os.mkdir(name, mode, dir_fd=fd)
        _dress(fd, name, mode, owner)
        return None
    except FileExistsError:
        return _readlink(fd, name)
    finally:
        os.close(fd)


def _dress(parent: int, name: str, mode: int, owner: tuple[int, int] | None) -> None:
    """Give a new directory its exact mode (mkdir took the umask off) and owner."""
    fd = openat2(parent, name, _DIRECTORY, resolve=RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH)
    try:
        if owner is not None:
            os.chown(f"/proc/self/fd/{fd}", *owner)
        os.chmod(f"/proc/self/fd/{fd}", mode)
    finally:
        os.close(fd)


def _readlink(parent: int, name: str) -> str | None:
    try:
        return os.readlink(name, dir_fd=parent)
    except OSError as error:
        if error.errno == errno.EINVAL:
            # Not a link: somebody else made the directory just now.
            return None
        raise
