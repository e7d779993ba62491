"""The file of the audit log, written by a thread, so that no request waits for the disk.

Layout:       audit.log, and what it was before: audit.log.1 … audit.log.KEPT, the newest first; mode 0600
Invariant:    each line is whole: what a kill or a full disk has cut off is ended before the next one begins.
Concurrency:  `write` is for any thread and never waits. At most `waiting_bytes` wait for the disk; what comes beyond,
              and what can not be written, is dropped and counted, and the log of the process tells so. A kill takes
              what waits with it.
"""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

_log = logging.getLogger(__name__)
_END_S = 5.0


class AuditLog:
    """The file is opened for the first line; while that fails, lines are dropped."""

    def __init__(self, path: Path, *, most_bytes: int = 16 << 20, kept: int = 3, waiting_bytes: int = 4 << 20) -> None:
        self._path, self._most, self._kept, self._most_waiting = path, most_bytes, kept, waiting_bytes
        self._fd, self._size, self._is_torn = -1, 0, False
        self._waiting: list[bytes] = []
        self._waiting_bytes = self._dropped = 0
        self._is_over = self._is_failing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        with self._changed:
            if self._waiting_bytes + len(line) > self._most_waiting:
                self._dropped += 1
                return
            self._waiting.append(line)
            self._waiting_bytes += len(line)
            self._changed.notify()

    def close(self) -> None:
        """Write what waits, within seconds."""
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self._thread.join(_END_S)

    def _run(self) -> None:
        while lines := self._take():
            try:
                self._store(b"".join(lines))
            except OSError as error:
                self._tell_failure(len(lines), error)
            else:
                self._tell_dropped()
        if self._fd >= 0:
            os.close(self._fd)

    def _take(self) -> list[bytes]:
        """Wait for lines; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_over)
            lines, self._waiting, self._waiting_bytes = self._waiting, [], 0
            return lines

    def _store(self, data: bytes) -> None:
        if self._fd < 0 or self._size >= self._most:
            self._rotate()
        whole = b"\n" + data if self._is_torn else data
        # Torn until all of it is there: an error after a part of it leaves it so.
        self._is_torn = True
        while whole:
            count = os.write(self._fd, whole)
            self._size += count
            whole = whole[count:]
        self._is_torn = False

    def _rotate(self) -> None:
        """Begin a new file. A kill between the renames leaves a number out, which is all."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._path.exists() and self._path.stat().st_size >= self._most:
            for number in range(self._kept - 1, 0, -1):
                if self._numbered(number).exists():
                    self._numbered(number).replace(self._numbered(number + 1))
            self._path.replace(self._numbered(1))
        self._open()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(self._path, flags, 0o600)
        self._size = os.fstat(self._fd).st_size
        self._is_torn = self._size > 0 and os.pread(self._fd, 1, self._size - 1) != b"\n"

    def _tell_failure(self, count: int, error: OSError) -> None:
        with self._changed:
            self._dropped += count
        if not self._is_failing:
            _log.error("the audit log can not be written, its events are dropped: %s", error)
        self._is_failing = True

    def _tell_dropped(self) -> None:
        with self._changed:
            count, self._dropped = self._dropped, 0
        if count:
            _log.error("the audit log is written again; %d events were dropped", count)
        self._is_failing = False
