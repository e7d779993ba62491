"""What was built and how it went: a record and the plain progress of each build, for `jubako builder history`.

Layout:       records `build-history`: ref -> BuildRecord; <root>/build-history/<ref>.log
Liveness:     the builder holds a lock on the log: a record that has not ended and whose log nobody locks was killed.
Bound:        the newest KEPT builds; older ones go when a build ends, and with them logs that have no record.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, TextIO

import msgspec

from jubako.build.progress import BuildProgress, PlainProgress, Step
from jubako.errors import Conflict, NotFound
from jubako.linux import locks
from jubako.store import Store

KEPT = 50
_COLLECTION = "build-history"

Status = Literal["Running", "Completed", "Error", "Canceled"]


class BuildRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Times are nanoseconds since the epoch; `completed_ns` 0 while it runs."""

    name: str
    context: str
    dockerfile: str
    target: str = ""
    platforms: list[str] = []
    names: list[str] = []
    started_ns: int = 0
    completed_ns: int = 0
    status: Status = "Running"
    steps: int = 0
    cached: int = 0
    error: str = ""
    image: str = ""


class History:
    """The builds of one state directory. Safe for several processes."""

    def __init__(self, store: Store, root: Path) -> None:
        self._records = store.records.collection(_COLLECTION, BuildRecord, lasting=False)
        self._directory = root / "build-history"

    def list(self) -> list[tuple[str, BuildRecord]]:
        """Newest first, with what was killed shown so."""
        found = [(ref, self._judged(ref, record)) for ref, record in self._records.items()]
        return sorted(found, key=lambda pair: pair[1].started_ns, reverse=True)

    def get(self, text: str) -> tuple[str, BuildRecord]:
        """The build with this ref or unambiguous beginning of one; the latest for "". Raises NotFound."""
        found = self.list()
        wanted = text.rpartition("/")[2]
        exact = [pair for pair in found if pair[0] == wanted]
        matching = exact or [pair for pair in found if pair[0].startswith(wanted)]
        if text and len(matching) > 1:
            raise NotFound("build", text, hint=f"{len(matching)} builds begin with {text}: give more of it")
        if not matching:
            raise NotFound("build", text, message=f"no record found for ref {text}" if text else "no records found")
        return matching[0]

    def log_path(self, ref: str) -> Path:
        return self._directory / f"{ref}.log"

    def remove(self, ref: str) -> None:
        """Raises Conflict for a build that runs."""
        if self.get(ref)[1].status == "Running":
            raise Conflict(f"build {ref} is running")
        self._records.delete(ref)
        self.log_path(ref).unlink(missing_ok=True)

    @contextmanager
    def recorded(self, ref: str, record: BuildRecord, progress: BuildProgress) -> Iterator[Recorded]:
        """Lend a progress that is kept too; how the block ends is how the build ended."""
        self._directory.mkdir(mode=0o700, exist_ok=True)
        with self._new_log(ref) as log:
            record = msgspec.structs.replace(record, started_ns=time.time_ns())
            self._records.insert(ref, record)
            kept = Recorded(progress, log)
            try:
                yield kept
            except BaseException as error:
                status: Status = "Error" if isinstance(error, Exception) else "Canceled"
                self._end(ref, record, kept, status, str(error))
                raise
            self._end(ref, record, kept, "Completed", "")

    def _end(self, ref: str, record: BuildRecord, kept: Recorded, status: Status, error: str) -> None:
        ended = msgspec.structs.replace(
            record,
            completed_ns=time.time_ns(),
            status=status,
            steps=kept.steps,
            cached=kept.cached_steps,
            error=error,
            image=kept.image,
        )
        self._records.replace(ref, ended)
        for old, _ in self.list()[KEPT:]:
            with suppress(Conflict, NotFound):
                self.remove(old)
        self._sweep_logs()

    def _new_log(self, ref: str) -> TextIO:
        while True:
            log = self.log_path(ref).open("w")
            fcntl.flock(log, fcntl.LOCK_EX)
            # A sweep that came between open and flock has removed it.
            if os.fstat(log.fileno()).st_nlink:
                return log
            log.close()

    def _sweep_logs(self) -> None:
        """Remove the logs of processes that were killed with the log made and its record not, or no longer, there."""
        known = set(self._records.keys())
        for path in self._directory.glob("*.log"):
            if path.stem in known:
                continue
            with suppress(FileNotFoundError), path.open() as log:
                if locks.take(log.fileno()) and self._records.find(path.stem) is None:
                    path.unlink()

    def _judged(self, ref: str, record: BuildRecord) -> BuildRecord:
        if record.status != "Running" or self._is_locked(ref):
            return record
        return msgspec.structs.replace(record, status="Canceled", error="the builder was killed")

    def _is_locked(self, ref: str) -> bool:
        try:
            with self.log_path(ref).open() as log:
                return locks.is_held(log.fileno())
        except OSError:
            return False


class Recorded:
    """Tells `progress`, and writes the plain form to a log; counts as it does."""

    def __init__(self, progress: BuildProgress, log: TextIO) -> None:
        self._progress = progress
        self._plain = PlainProgress(log)
        self.steps = 0
        self.cached_steps = 0
        self.image = ""

    def step(self, name: str) -> Step:
        self.steps += 1
        return _RecordedStep(self, self._progress.step(name), self._plain.step(name))

    def warning(self, text: str) -> None:
        self._progress.warning(text)
        self._plain.warning(text)

    def remarks(self, lines: Sequence[str]) -> None:
        self._progress.remarks(lines)
        self._plain.remarks(lines)


class _RecordedStep:
    def __init__(self, owner: Recorded, *steps: Step) -> None:
        self._owner = owner
        self._steps = steps

    def log(self, data: bytes) -> None:
        for step in self._steps:
            step.log(data)

    def status(self, text: str) -> None:
        for step in self._steps:
            step.status(text)

    def cached(self) -> None:
        self._owner.cached_steps += 1
        for step in self._steps:
            step.cached()

    def done(self) -> None:
        for step in self._steps:
            step.done()

    def failed(self, problem: str) -> None:
        for step in self._steps:
            step.failed(problem)
