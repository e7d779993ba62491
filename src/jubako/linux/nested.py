"""Going into a user namespace and its mount namespace for good: this process is root there from then on, and may mount.

Concurrency:  for a process of one thread: the kernel refuses it to any other, with EINVAL. setns(2), CLONE_NEWUSER.
"""

from __future__ import annotations

import ctypes
import os

from jubako.linux import userns
from jubako.linux.syscall import libc

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000


def enter(process: int) -> None:
    """Go where the process is that a pidfd names; this user is root there. The directory has the same name."""
    outside = os.geteuid()
    here, name = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC), _directory()
    try:
        if libc.setns(process, _CLONE_NEWUSER | _CLONE_NEWNS) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), "user namespace")
        userns.became_root(outside)
        # The root of the mount namespace is the directory after setns(2).
        try:
            os.chdir(name)
        except OSError:
            os.fchdir(here)
    finally:
        os.close(here)


def _directory() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""
