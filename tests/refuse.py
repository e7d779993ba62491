"""Run a command under a seccomp filter that refuses some system calls, as an older kernel or another runtime would.

Usage: refuse.py ENOSYS|EPERM CALL[,CALL…] COMMAND [ARGUMENT …]
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

# Calls since Linux 5.0 have one number everywhere.
NUMBERS = {
    "pidfd_send_signal": 424,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "pidfd_open": 434,
    "clone3": 435,
    "close_range": 436,
    "openat2": 437,
    "faccessat2": 439,
    "epoll_pwait2": 441,
    "mount_setattr": 442,
} | {
    "x86_64": {"memfd_create": 319, "execveat": 322, "statx": 332},
    "aarch64": {"memfd_create": 279, "execveat": 281, "statx": 291},
}[platform.machine()]

LOAD_NUMBER, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2


def program(error: int, numbers: list[int]) -> bytes:
    """struct sock_filter[]: the error for each of these numbers, all others are allowed."""
    steps = [(LOAD_NUMBER, 0, 0, 0)]
    for number in numbers:
        steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | error)]
    return b"".join(struct.pack("=HBBI", *step) for step in [*steps, (RETURN, 0, 0, ALLOW)])


def load(filter_: bytes) -> None:
    """For this process and all that come of it."""
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(filter_, len(filter_))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(filter_) // 8, ctypes.addressof(buffer)))
    if os.geteuid() != 0:
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot load the filter")


def main() -> None:
    error, names, *command = sys.argv[1:]
    load(program(getattr(errno, error), [NUMBERS[name] for name in names.split(",")]))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
