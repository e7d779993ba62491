"""System calls that nothing here can do without. Linux 6.1 has them all; an older kernel does not, and a seccomp filter
around this process (another runtime's, say) may refuse one that the kernel has: with ENOSYS, or with EPERM.
"""

from __future__ import annotations

import errno
import os

from jubako.linux import proc, userns
from jubako.linux import syscall as sys
from jubako.linux.syscall import syscall

_NONE = -1
_BAD_FLAGS = 0x7FFFFFFF
_CAP_SYS_ADMIN = 21

# Arguments that the kernel refuses at once: a call that is there fails with EINVAL, EBADF, ESRCH or EFAULT.
_ANYBODYS: dict[str, tuple[int, tuple[int | None, ...]]] = {
    "pidfd_send_signal": (sys.PIDFD_SEND_SIGNAL, (_NONE, 0, 0, _BAD_FLAGS)),
    "open_tree": (sys.OPEN_TREE, (_NONE, None, _BAD_FLAGS)),
    "fsconfig": (sys.FSCONFIG, (_NONE, 0, None, None, 0)),
    "pidfd_open": (sys.PIDFD_OPEN, (_NONE, 0)),
    "close_range": (sys.CLOSE_RANGE, (1, 0, 0)),
    "openat2": (sys.OPENAT2, (_NONE, None, None, 0)),
    "mount_setattr": (sys.MOUNT_SETATTR, (_NONE, None, _BAD_FLAGS, None, 0)),
}
# These ask for the privilege first, so that EPERM may be the kernel's own word.
_PRIVILEGED: dict[str, tuple[int, tuple[int | None, ...]]] = {
    "move_mount": (sys.MOVE_MOUNT, (_NONE, None, _NONE, None, 0)),
    "fsopen": (sys.FSOPEN, (None, 0)),
    "fsmount": (sys.FSMOUNT, (_NONE, 0, 0)),
}


def refused() -> list[str]:
    """The names of those that this process may not call."""
    unknown = frozenset((errno.ENOSYS, errno.EPERM))
    # ENOSYS makes libc and the executor take clone(2) instead; EPERM is the end of posix_spawn(3).
    names = ["clone3"] if _answer((sys.CLONE3, (None, 0))) == errno.EPERM else []
    names += [name for name, call in _ANYBODYS.items() if _answer(call) in unknown]
    if _memory_answer() in unknown:
        names.append("memfd_create")
    if not (userns.is_initial() and proc.permitted_capabilities() >> _CAP_SYS_ADMIN & 1):
        unknown = frozenset((errno.ENOSYS,))
    return names + [name for name, call in _PRIVILEGED.items() if _answer(call) in unknown]


def _answer(call: tuple[int, tuple[int | None, ...]]) -> int:
    try:
        syscall(call[0], *call[1])
    except OSError as error:
        return error.errno or 0
    return 0


def _memory_answer() -> int:
    try:
        os.close(os.memfd_create("", _BAD_FLAGS))
    except OSError as error:
        return error.errno or 0
    return 0


def explanation(error: int | None) -> str:
    """What to add to a message about `error`: which calls are refused, or nothing when that is not the reason."""
    if error not in (errno.ENOSYS, errno.EPERM) or not (names := refused()):
        return ""
    calls = ", ".join(f"{name}(2)" for name in names)
    return f" ({calls} refused: this needs Linux 6.1 or later, and no seccomp filter around it that does not know them)"
