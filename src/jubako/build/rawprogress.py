"""Progress for programs: `--progress=rawjson`, one JSON object on each line, of BuildKit's SolveStatus.

Keys:  `vertexes` (a step began or ended), `statuses` (what it does itself), `logs` (its output, base64), `warnings`.
Spec:  BuildKit, client/graph.go; api/services/control.proto.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Mapping, Sequence
from typing import TextIO

import msgspec

from jubako.build.moment import Moment
from jubako.build.progress import Step

_STDERR = 2
_CLOCK = Moment()


class RawProgress:
    """Writes to a text stream, each line at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._count = 0

    def step(self, name: str) -> Step:
        with self._lock:
            self._count += 1
            number = self._count
        return _RawStep(self, name, f"sha256:{hashlib.sha256(f'{number} {name}'.encode()).hexdigest()}")

    def warning(self, text: str) -> None:
        self.write({"warnings": [{"level": 1, "short": _bytes(text.encode())}]})

    def remarks(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.warning(line)

    def write(self, document: Mapping[str, object]) -> None:
        line = msgspec.json.encode(document).decode()
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()


class _RawStep:
    def __init__(self, progress: RawProgress, name: str, digest: str) -> None:
        self._progress = progress
        self._vertex: dict[str, object] = {"digest": digest, "name": name, "started": _CLOCK.now()}
        self._digest = digest
        self._tell()

    def log(self, data: bytes) -> None:
        entry = {"vertex": self._digest, "stream": _STDERR, "data": _bytes(data), "timestamp": _CLOCK.now()}
        self._progress.write({"logs": [entry]})

    def status(self, text: str) -> None:
        now = _CLOCK.now()
        entry = {"id": text, "vertex": self._digest, "current": 0, "timestamp": now, "started": now, "completed": now}
        self._progress.write({"statuses": [entry]})

    def cached(self) -> None:
        self._end(cached=True)

    def done(self) -> None:
        self._end()

    def failed(self, problem: str) -> None:
        self._end(error=problem)

    def _end(self, **facts: object) -> None:
        self._vertex = {**self._vertex, "completed": _CLOCK.now(), **facts}
        self._tell()

    def _tell(self) -> None:
        self._progress.write({"vertexes": [self._vertex]})


def _bytes(data: bytes) -> str:
    return base64.b64encode(data).decode()
