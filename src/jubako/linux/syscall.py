"""Raw system calls: the one place that loads libc.

`syscall(nr, *args)` passes ints, bytes (paths and strings, NUL-terminated by ctypes), ctypes buffers and None (a null
pointer) and returns the result, or raises OSError with the kernel's errno. The numbers of calls that came after Linux
5.0 are the same on every architecture; older ones belong in a table by machine beside their user.

Concurrency: errno is kept per thread by ctypes (use_errno), and the interpreter lock is released during the call.
"""

from __future__ import annotations

import ctypes
import os

PIDFD_SEND_SIGNAL = 424
OPEN_TREE = 428
MOVE_MOUNT = 429
FSOPEN = 430
FSCONFIG = 431
FSMOUNT = 432
PIDFD_OPEN = 434
CLONE3 = 435
CLOSE_RANGE = 436
OPENAT2 = 437
MOUNT_SETATTR = 442

libc = ctypes.CDLL(None, use_errno=True)
_syscall = libc.syscall
_syscall.restype = ctypes.c_long

Argument = int | bytes | None | ctypes.Array[ctypes.c_char] | ctypes.Structure


def syscall(number: int, *arguments: Argument, path: str | None = None) -> int:
    """Make system call `number` and return its result; a failure is OSError, with `path` as its filename."""
    # A bare int would be passed as a C int and lose its upper half in a 64-bit register.
    result: int = _syscall(ctypes.c_long(number), *[_convert(argument) for argument in arguments])
    if result == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), path)
    return result


def _convert(argument: Argument) -> object:
    match argument:
        case int():
            return ctypes.c_long(argument)
        case ctypes.Structure():
            return ctypes.byref(argument)
        case None:
            return ctypes.c_void_p(None)
        case _:
            return argument
