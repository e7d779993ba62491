"""The environment of a process: each variable once, its last value, and a HOME."""

from __future__ import annotations

import os
from collections.abc import Sequence

from jubako.errors import InvalidArgument
from jubako.runtime import users
from jubako.spec.oci_runtime import Spec


def complete(variables: Sequence[str], uid: int, passwd: tuple[str, str]) -> list[str]:
    """HOME, when it is absent or empty, is that of `uid` in the file `passwd` (a directory and a path beneath it)."""
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
        found["HOME"] = _home(uid, *passwd)
    return [f"{name}={value}" for name, value in found.items()]


def passwd_of(spec: Spec, root: str) -> tuple[str, str]:
    """The passwd file that the container will have: podman binds one of its own over the image's."""
    for mount in reversed(spec.mounts):
        if mount.destination == "/etc/passwd":
            return os.path.dirname(mount.source), os.path.basename(mount.source)
    return root, "etc/passwd"


def _home(uid: int, directory: str, path: str) -> str:
    try:
        fd = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:  # what is wrong with that mount is told when it is made
        return "/"
    try:
        return users.home_of(fd, path, uid)
    except InvalidArgument:  # a passwd file that is none says nothing
        return "/"
    finally:
        os.close(fd)
