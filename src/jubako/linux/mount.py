"""Mounts by file descriptor: fsopen(2), fsconfig(2), fsmount(2), open_tree(2), move_mount(2), mount_setattr(2).

Thin calls; failures are OSError. A detached mount lives as long as an fd of it, and is nowhere in any mount table.
"""

from __future__ import annotations

import ctypes
import os
import struct

from jubako.linux import syscall as sys
from jubako.linux.syscall import libc, syscall

AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000

FSOPEN_CLOEXEC = 1
FSMOUNT_CLOEXEC = 1
OPEN_TREE_CLONE = 1
OPEN_TREE_CLOEXEC = os.O_CLOEXEC

FSCONFIG_SET_FLAG = 0
FSCONFIG_SET_STRING = 1
FSCONFIG_CMD_CREATE = 6

MOVE_MOUNT_F_EMPTY_PATH = 0x04
MOVE_MOUNT_T_EMPTY_PATH = 0x40

MOUNT_ATTR_RDONLY = 0x01
MOUNT_ATTR_NOSUID = 0x02
MOUNT_ATTR_NODEV = 0x04
MOUNT_ATTR_NOEXEC = 0x08
MOUNT_ATTR_IDMAP = 0x100000

MNT_DETACH = 2


def fsopen(filesystem: str) -> int:
    """Return a configuration context for a new mount of type `filesystem`; the caller closes it."""
    return syscall(sys.FSOPEN, filesystem.encode(), FSOPEN_CLOEXEC)


def fsconfig(context: int, key: str, value: str | None = None) -> None:
    """Set one parameter, or a flag when there is no value. The log of a refusal is read with `messages`."""
    command = FSCONFIG_SET_FLAG if value is None else FSCONFIG_SET_STRING
    syscall(sys.FSCONFIG, context, command, key.encode(), None if value is None else os.fsencode(value), 0, path=value)


def fsconfig_create(context: int) -> None:
    """Make the superblock of what was configured."""
    syscall(sys.FSCONFIG, context, FSCONFIG_CMD_CREATE, None, None, 0)


def fsmount(context: int, attributes: int = 0) -> int:
    """Return a detached mount of the created superblock; the caller closes it."""
    return syscall(sys.FSMOUNT, context, FSMOUNT_CLOEXEC, attributes)


def messages(context: int) -> list[str]:
    """Return what the kernel says about the failures of a configuration context, without its prefix."""
    lines = []
    try:
        while True:
            lines.append(os.read(context, 4096).decode(errors="replace").strip()[2:])
    except OSError:
        return lines


def open_tree(path: str, flags: int = 0, *, dir_fd: int = AT_FDCWD) -> int:
    """Return an O_PATH fd of `path`; with OPEN_TREE_CLONE a detached copy of the mount from there on."""
    return syscall(sys.OPEN_TREE, dir_fd, os.fsencode(path), flags | OPEN_TREE_CLOEXEC, path=path)


def move_mount(mount: int, target: str, *, dir_fd: int = AT_FDCWD) -> None:
    """Attach a detached mount at `target`; an empty target is `dir_fd` itself."""
    flags = MOVE_MOUNT_F_EMPTY_PATH | (0 if target else MOVE_MOUNT_T_EMPTY_PATH)
    syscall(sys.MOVE_MOUNT, mount, b"", dir_fd, os.fsencode(target), flags, path=target)


def mount_setattr(fd: int, *, add: int = 0, clear: int = 0, recursive: bool = False, userns_fd: int = 0) -> None:
    """Change the attributes (MOUNT_ATTR_*) of the mount whose root `fd` is; MOUNT_ATTR_IDMAP takes a user namespace."""
    attributes = struct.pack("QQQQ", add, clear, 0, userns_fd)
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    flags = AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0)
    syscall(sys.MOUNT_SETATTR, fd, b"", flags, buffer, len(attributes))


def umount2(target: str, flags: int = 0) -> None:
    """Detach what is mounted at `target`."""
    if libc.umount2(os.fsencode(target), flags) == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), target)
