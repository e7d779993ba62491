"""One file, link or device made anew after another, and the attributes that a copy gets."""

from __future__ import annotations

import os
import stat

import msgspec

from jubako.build.files import mode as modes
from jubako.linux.xattr import read_xattrs, set_xattr

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK = 1 << 30
# overlay's own marks mean something only in its layers, and a label is the host's.
_OWN_XATTRS = ("trusted.overlay.", "user.overlay.", "security.selinux")

Where = tuple[int, str]
"""A name in a directory fd."""


class Style(msgspec.Struct, frozen=True):
    """How copies look: `owner` None keeps each file's own, `chmod` None its mode, `mtime_ns` None its time."""

    owner: tuple[int, int] | None = (0, 0)
    chmod: str | None = None
    mtime_ns: int | None = None
    xattrs: bool = False


def clone(source: Where, status: os.stat_result, target: Where, style: Style) -> None:
    """Make `target`, which must not exist, after `source`; FileExistsError."""
    if stat.S_ISREG(status.st_mode):
        _clone_file(source, status, target, style)
        return
    parent, name = target
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(source[1], dir_fd=source[0]), name, dir_fd=parent)
    else:
        os.mknod(name, status.st_mode, status.st_rdev, dir_fd=parent)
    dress(source, status, target, style)


def dress(source: Where, status: os.stat_result, target: Where, style: Style) -> None:
    """Owner, then what a change of owner takes away (set-uid bits, capabilities), then times."""
    parent, name = target
    os.chown(name, *(style.owner or (status.st_uid, status.st_gid)), dir_fd=parent, follow_symlinks=False)
    if not stat.S_ISLNK(status.st_mode):
        os.chmod(name, _mode(status, style), dir_fd=parent)
    if style.xattrs:
        _clone_xattrs(source, target)
    mtime_ns = _mtime_ns(status, style)
    os.utime(name, ns=(mtime_ns, mtime_ns), dir_fd=parent, follow_symlinks=False)


def _clone_file(source: Where, status: os.stat_result, target: Where, style: Style) -> None:
    reader = os.open(source[1], _READ, dir_fd=source[0])
    try:
        writer = os.open(target[1], _CREATE, 0o600, dir_fd=target[0])
        try:
            while os.sendfile(writer, reader, None, _CHUNK):
                pass
            os.fchown(writer, *(style.owner or (status.st_uid, status.st_gid)))
            os.fchmod(writer, _mode(status, style))
            if style.xattrs:
                _clone_xattrs(source, target)
            mtime_ns = _mtime_ns(status, style)
            os.utime(writer, ns=(mtime_ns, mtime_ns))
        finally:
            os.close(writer)
    finally:
        os.close(reader)


def _mode(status: os.stat_result, style: Style) -> int:
    if style.chmod is None:
        return stat.S_IMODE(status.st_mode)
    return modes.apply(style.chmod, status.st_mode, directory=stat.S_ISDIR(status.st_mode))


def _mtime_ns(status: os.stat_result, style: Style) -> int:
    return status.st_mtime_ns if style.mtime_ns is None else style.mtime_ns


def _clone_xattrs(source: Where, target: Where) -> None:
    for attribute, value in read_xattrs(*source).items():
        if not attribute.startswith(_OWN_XATTRS):
            set_xattr(*target, attribute, value)
