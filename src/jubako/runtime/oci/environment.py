"""The environment of a process: each variable once, its last value, and a HOME."""

from __future__ import annotations

import os
from collections.abc import Sequence

from jubako.errors import InvalidArgument
from jubako.runtime import users


def complete(variables: Sequence[str], root: str, uid: int) -> list[str]:
    """HOME, when it is absent or empty, is that of `uid` in the passwd file beneath `root`, or "/"."""
    found: dict[str, str] = {}
    for text in variables:
        name, equals, value = text.partition("=")
        if not equals:
            raise InvalidArgument(f'invalid environment variable: "{text}"')
        if not name:
            raise InvalidArgument(f'environment variable name can\'t be empty: "{text}"')
        if "\0" in text:
            raise InvalidArgument(f"environment variable {name} holds a NUL byte")
        found[name] = value
    if not found.get("HOME"):
        found["HOME"] = _home(root, uid)
    return [f"{name}={value}" for name, value in found.items()]


def _home(root: str, uid: int) -> str:
    fd = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return users.resolve(fd, str(uid)).home or "/"
    except InvalidArgument:  # a passwd file that is none says nothing
        return "/"
    finally:
        os.close(fd)
