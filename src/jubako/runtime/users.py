"""Who a process runs as: `USER`, `-u` and `--chown` texts, resolved with the container's own passwd and group files.

The files are hostile input: they are opened beneath the container's root, must be regular files, and only their first
MiB is read (CVE-2024-9676 made passwd a FIFO). Numbers are checked: nothing overflows, and a name that is all digits
is a number, as Docker has it.
"""

from __future__ import annotations

import os

import msgspec

from jubako.errors import InvalidArgument
from jubako.linux.openat2 import open_regular

_LIMIT = 1 << 20
_MAX_ID = (1 << 32) - 2  # (uid_t)-1 means "do not change"; chown(2), setreuid(2)


class Identity(msgspec.Struct, frozen=True):
    """A resolved user: numeric ids, supplementary groups in file order, and the home directory."""

    uid: int
    gid: int
    groups: list[int]
    home: str


def resolve(root_fd: int, user: str, extra_groups: list[str] | None = None) -> Identity:
    """Resolve `user[:group]` (names or numbers; "" is root) as Docker does.

    Raises InvalidArgument for an unknown name or a number out of range.
    """
    name, colon, group = user.partition(":")
    passwd = _table(root_fd, "etc/passwd")
    groups = _table(root_fd, "etc/group")
    uid, primary, home, login = _find_user(passwd, name or "0")
    gid = _find_group(groups, group) if colon and group else primary
    members = [] if colon and group else _memberships(groups, login)
    extra = [_find_group(groups, text) for text in extra_groups or []]
    return Identity(uid, gid, list(dict.fromkeys([gid, *members, *extra])), home)


def home_of(directory_fd: int, path: str, uid: int) -> str:
    """The home directory of `uid` in the passwd file at `path` beneath a directory; "/" when it has none there."""
    return _find_user(_table(directory_fd, path), str(uid))[2]


def resolve_owner(root_fd: int, text: str) -> tuple[int, int]:
    """Resolve the `user[:group]` of --chown as BuildKit: a name alone brings its primary group, a number is both."""
    name, colon, group = text.partition(":")
    uid, primary, _, _ = _find_user(_table(root_fd, "etc/passwd"), name or "0")
    if colon and group:
        return uid, _find_group(_table(root_fd, "etc/group"), group)
    return uid, uid if name.isdecimal() else primary


def _find_user(passwd: list[list[str]], name: str) -> tuple[int, int, str, str]:
    number = _number(name, "user")
    for row in passwd:
        if len(row) >= 6 and (row[0] == name or (number is not None and row[2] == str(number))):
            return _file_id(row[2]), _file_id(row[3]), row[5] or "/", row[0]
    if number is None:
        raise InvalidArgument(f"unable to find user {name}: no matching entries in passwd file")
    return number, 0, "/", ""


def _find_group(table: list[list[str]], name: str) -> int:
    number = _number(name, "group")
    if number is not None:
        return number
    for row in table:
        if len(row) >= 3 and row[0] == name:
            return _file_id(row[2])
    raise InvalidArgument(f"unable to find group {name}: no matching entries in group file")


def _memberships(table: list[list[str]], login: str) -> list[int]:
    return [_file_id(row[2]) for row in table if len(row) >= 4 and login and login in row[3].split(",")]


def _number(text: str, what: str) -> int | None:
    digits = text[1:] if text[:1] in "+-" else text
    if not (digits.isascii() and digits.isdecimal()):
        return None
    value = _in_range(digits)
    if text[0] in "+-" or value is None:
        raise InvalidArgument(f"{what} id {text[:32]} is out of range: it must be between 0 and {_MAX_ID}")
    return value


def _in_range(digits: str) -> int | None:
    """int() itself raises ValueError for thousands of digits."""
    significant = digits.lstrip("0") or "0"
    value = int(significant) if len(significant) <= 10 else _MAX_ID + 1
    return value if value <= _MAX_ID else None


def _file_id(text: str) -> int:
    value = _in_range(text) if text.isascii() and text.isdecimal() else None
    if value is not None:
        return value
    raise InvalidArgument(f"the image's passwd or group file holds an invalid id: {text[:32]!r}")


def _table(root_fd: int, path: str) -> list[list[str]]:
    try:
        fd = open_regular(root_fd, path)
    except OSError:
        return []
    if fd is None:
        return []
    try:
        text = os.read(fd, _LIMIT).decode("utf-8", "replace")
    finally:
        os.close(fd)
    return [line.split(":") for line in text.splitlines() if line and not line.startswith("#")]
