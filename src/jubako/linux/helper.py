"""Small programs of the system that do what this process may not do itself."""

from __future__ import annotations

import os
import signal

_DIRECTORIES = ("/usr/bin", "/usr/local/bin", "/bin", "/usr/sbin", "/sbin")


def find(name: str) -> str | None:
    """Where the system has it. The caller's PATH does not count: what is run here may be set-uid, or root's."""
    for directory in _DIRECTORIES:
        path = f"{directory}/{name}"
        if os.access(path, os.X_OK):
            return path
    return None


def complaint(argv: list[str]) -> str | None:
    """Run a helper; what it wrote to standard error when it failed, None when it did not.

    One that goes on in the background has to let go of its standard error.
    """
    reader, writer = os.pipe()
    try:
        null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1)]
        actions = [*null, (os.POSIX_SPAWN_DUP2, writer, 2)]
        # Python ignores SIGPIPE, and that is inherited.
        pid = os.posix_spawn(argv[0], argv, {}, file_actions=actions, setsigdef=[signal.SIGPIPE])
    finally:
        os.close(writer)
    with open(reader, encoding="utf-8", errors="replace") as output:
        said = output.read(4096).strip()
    return said if os.waitpid(pid, 0)[1] else None
