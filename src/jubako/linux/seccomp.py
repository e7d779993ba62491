"""What the kernel's seccomp(2) can do."""

from __future__ import annotations

import errno
import os

from jubako.linux.syscall import syscall

_SET_MODE_FILTER = 1
_NUMBERS = {"x86_64": 317, "s390x": 348, "ppc64le": 358, "ppc64": 358, "i686": 354, "armv7l": 383}
_GENERIC_NUMBER = 277  # aarch64, riscv64, loongarch64: asm-generic/unistd.h


def supports(flags: int) -> bool:
    """Whether a filter can be loaded with these SECCOMP_FILTER_FLAG_*: asked without one, nothing happens."""
    number = _NUMBERS.get(os.uname().machine, _GENERIC_NUMBER)
    try:
        syscall(number, _SET_MODE_FILTER, flags, None)
    except OSError as error:
        return error.errno == errno.EFAULT
    return False
