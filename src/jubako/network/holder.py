"""Which process reserved something, in a form that outlives a reused process ID."""

from __future__ import annotations

import os


def current() -> str:
    """Return this process as `PID:START`, its start time in clock ticks since boot."""
    pid = os.getpid()
    return f"{pid}:{_started(pid)}"


def is_alive(holder: str) -> bool:
    """Tell whether the process that current() named still runs."""
    pid, _, started = holder.partition(":")
    return bool(started) and _started(int(pid)) == started


def _started(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            text = stream.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # The command's name may hold spaces and parentheses; the fields after it are numbered from 3 (proc(5)).
    fields = text[text.rindex(b")") + 2 :].split()
    return "" if fields[0] in (b"Z", b"X") else fields[19].decode()
