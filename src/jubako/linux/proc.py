"""What /proc tells about processes: when one started, what this one may do."""

from __future__ import annotations

import functools
import os


def start_ticks(pid: int) -> int | None:
    """The start time of `pid` in clock ticks since boot, None when there is no such process (or only its zombie).

    With the pid it names a process for ever: pids are used again, the pair is not.
    """
    fields = _stat(pid)
    return None if not fields or fields[0] in (b"Z", b"X") else int(fields[19])


def state(pid: int) -> str:
    """The letter for what a process is at (T: stopped by a signal); "" where there is none."""
    fields = _stat(pid)
    return fields[0].decode() if fields else ""


def _stat(pid: int) -> list[bytes]:
    """What /proc/<pid>/stat has after the command's name; nothing where there is no such process."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return []
    try:
        text = os.read(fd, 4096)
    except ProcessLookupError:
        return []
    finally:
        os.close(fd)
    return text[text.rindex(b")") + 2 :].split()


def innermost_pid(pid: int) -> int:
    """The pid of process `pid` in its own pid namespace; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            for line in file:
                if line.startswith(b"NSpid:"):
                    return int(line.split()[-1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def with_pid_namespace_of(pid: int) -> list[int]:
    """All processes of the pid namespace of `pid`, as far as this process may look."""
    own = _pid_namespace(str(pid))
    return [int(name) for name in os.listdir("/proc") if name.isdecimal() and own and _pid_namespace(name) == own]


def _pid_namespace(pid: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


@functools.cache
def permitted_capabilities() -> int:
    """This process's permitted set, as bits."""
    with open("/proc/self/status", "rb") as file:
        for line in file:
            if line.startswith(b"CapPrm:"):
                return int(line.split()[1], 16)
    return 0
