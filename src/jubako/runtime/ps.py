"""The host's ps(1), of some processes alone: what `top` and the OCI runtime's `ps` show."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence

from jubako.errors import FailedPrecondition


def lines_of(pids: Iterable[int], words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the head line of `ps WORDS…`, and the lines of `pids`. FailedPrecondition in Docker's words."""
    done = subprocess.run(["ps", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise FailedPrecondition(f"ps: {done.stderr.strip().partition(chr(10))[0]}")
    head, *lines = done.stdout.splitlines()
    titles = head.split()
    if "PID" not in titles:
        raise FailedPrecondition("Couldn't find PID field in ps output")
    column, wanted = titles.index("PID"), {str(pid) for pid in pids}
    return head, [line for line in lines if line.split(None, column + 1)[column] in wanted]
