"""Extended attributes of a name in a directory fd, symbolic links and devices included.

The calls take paths, and fds only of what can be opened for reading; /proc/self/fd/N/NAME is neither followed beyond N
nor raced on the way to it. setxattrat(2) does without /proc, from Linux 6.13 on.
"""

from __future__ import annotations

import errno
import os

_UNSUPPORTED = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENODATA)


def _at(dir_fd: int, name: str) -> str:
    return f"/proc/self/fd/{dir_fd}/{name}" if name else f"/proc/self/fd/{dir_fd}/."


def list_xattrs(dir_fd: int, name: str = "") -> list[str]:
    """Return the names of the attributes; none where the file system has no attributes."""
    try:
        return os.listxattr(_at(dir_fd, name), follow_symlinks=False)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return []
        raise


def get_xattr(dir_fd: int, name: str, attribute: str) -> bytes | None:
    """Return the value of an attribute, or None when it is absent."""
    try:
        return os.getxattr(_at(dir_fd, name), attribute, follow_symlinks=False)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return None
        raise


def set_xattr(dir_fd: int, name: str, attribute: str, value: bytes) -> None:
    """Set an attribute of `name` in `dir_fd`, or of the directory itself when `name` is empty."""
    os.setxattr(_at(dir_fd, name), attribute, value, follow_symlinks=False)


def read_xattrs(dir_fd: int, name: str = "") -> dict[str, bytes]:
    """Return all attributes with their values."""
    found = {attribute: get_xattr(dir_fd, name, attribute) for attribute in list_xattrs(dir_fd, name)}
    return {attribute: value for attribute, value in found.items() if value is not None}
