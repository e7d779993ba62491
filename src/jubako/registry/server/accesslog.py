"""The access log: one line of JSON for each request, whole lines even where several processes write one file.

Nothing secret is in it: no query, no Authorization, no body.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time

import msgspec

from jubako.registry.server.config.schema import Log

_TEXT_LIMIT = 512


class Entry(msgspec.Struct, omit_defaults=True):
    time: str
    client: str
    method: str
    path: str
    status: int
    sent: int
    received: int
    ms: float
    user: str = ""
    agent: str = ""


class AccessLog:
    """A reload of the configuration opens the file anew, which is what log rotation wants."""

    def __init__(self, settings: Log) -> None:
        self._fd = -1
        if settings.access == "json" and settings.file is not None:
            self._fd = os.open(settings.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        elif settings.access == "json":
            self._fd = os.dup(sys.stderr.fileno())

    @property
    def is_on(self) -> bool:
        return self._fd >= 0

    def write(self, entry: Entry) -> None:
        # A full disk must not fail the request that was answered already.
        with contextlib.suppress(OSError):
            os.write(self._fd, msgspec.json.encode(entry) + b"\n")

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def now() -> str:
    """The time as log lines have it: UTC, to the millisecond."""
    seconds = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03d}Z"


def shortened(text: str) -> str:
    return text[:_TEXT_LIMIT]
