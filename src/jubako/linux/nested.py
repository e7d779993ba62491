"""Going into a user namespace for good: this process is its root from then on, and may mount.

Concurrency:  for a process of one thread: the kernel refuses it to any other, with EINVAL. setns(2), CLONE_NEWUSER.
"""

from __future__ import annotations

import ctypes
import os

from jubako.linux import mountns, userns
from jubako.linux.syscall import libc

_CLONE_NEWUSER = 0x10000000


def enter(namespace: int) -> None:
    """Go into the user namespace, of which this user is the root, and a mount namespace that belongs to it; OSError.

    No mount of the new one goes to the host, the host's come here: such a copy is the original's slave.
    """
    outside = os.geteuid()
    if libc.setns(namespace, _CLONE_NEWUSER) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), "user namespace")
    userns.became_root(outside)
    mountns.unshare()
