"""How a build tells what it does: steps with names, their output line by line, and how each ended.

The plain form is BuildKit's `--progress=plain`, which people and log scanners know:

    #5 [build 2/4] RUN make
    #5 0.123 cc -c main.c
    #5 DONE 0.2s
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TextIO

_LINE_LIMIT = 1 << 16


class Step(Protocol):
    """One step; it ends with exactly one of cached, done and failed. Any thread may call."""

    def log(self, data: bytes) -> None:
        """Output of the step, in pieces of any size."""

    def status(self, text: str) -> None:
        """One line about what the step does itself."""

    def cached(self) -> None: ...

    def done(self) -> None: ...

    def failed(self, problem: str) -> None: ...


class BuildProgress(Protocol):
    def step(self, name: str) -> Step:
        """A step begins."""

    def warning(self, text: str) -> None: ...

    def remarks(self, lines: Sequence[str]) -> None:
        """What there is to say when all is done."""


@contextmanager
def shown_step(progress: BuildProgress, name: str) -> Iterator[Callable[[str], None]]:
    """Show a piece of the builder's own work as a step."""
    step = progress.step(name)
    try:
        yield step.status
    except BaseException as error:
        step.failed(str(error).partition("\n")[0])
        raise
    step.done()


class Silent:
    """For callers that do not want to know; it is its own step."""

    def step(self, name: str) -> Step:
        return self

    def warning(self, text: str) -> None:
        pass

    def remarks(self, lines: Sequence[str]) -> None:
        pass

    def log(self, data: bytes) -> None:
        pass

    def status(self, text: str) -> None:
        pass

    def cached(self) -> None:
        pass

    def done(self) -> None:
        pass

    def failed(self, problem: str) -> None:
        pass


class PlainProgress:
    """Writes the plain form to a text stream, each line at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._count = 0
        self._shown: _PlainStep | None = None

    def step(self, name: str) -> Step:
        with self._lock:
            self._count += 1
            step = _PlainStep(self, self._count, name)
            self._show(step)
            self._stream.flush()
            return step

    def warning(self, text: str) -> None:
        with self._lock:
            self._leave()
            self._stream.write(f"[Warning] {text}\n")
            self._stream.flush()

    def remarks(self, lines: Sequence[str]) -> None:
        if lines:
            with self._lock:
                self._leave()
                self._stream.write("".join(f"{line}\n" for line in lines))
                self._stream.flush()

    def write(self, step: _PlainStep, lines: list[str], *, last: bool = False) -> None:
        with self._lock:
            if self._shown is not step:
                self._show(step)
            self._stream.writelines(f"#{step.number} {line}\n" for line in lines)
            if last:
                self._stream.write("\n")
                self._shown = None
            self._stream.flush()

    def _show(self, step: _PlainStep) -> None:
        self._leave()
        self._stream.write(f"#{step.number} {step.name}\n")
        self._shown = step

    def _leave(self) -> None:
        """Another step's lines follow: mark that this one goes on."""
        if self._shown is not None:
            self._stream.write(f"#{self._shown.number} ...\n\n")
            self._shown = None


class _PlainStep:
    def __init__(self, progress: PlainProgress, number: int, name: str) -> None:
        self.number = number
        self.name = name
        self._progress = progress
        self._started = time.monotonic()
        self._rest = b""

    def log(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > _LINE_LIMIT:
            lines.append(self._rest)
            self._rest = b""
        if lines:
            self._progress.write(self, self._stamped(lines))

    def status(self, text: str) -> None:
        self._progress.write(self, [text])

    def cached(self) -> None:
        self._progress.write(self, ["CACHED"], last=True)

    def done(self) -> None:
        self._end(f"DONE {time.monotonic() - self._started:.1f}s")

    def failed(self, problem: str) -> None:
        self._end(f"ERROR: {problem}")

    def _end(self, line: str) -> None:
        rest = self._stamped([self._rest]) if self._rest else []
        self._rest = b""
        self._progress.write(self, [*rest, line], last=True)

    def _stamped(self, lines: list[bytes]) -> list[str]:
        seconds = time.monotonic() - self._started
        return [f"{seconds:.3f} {line.decode('utf-8', 'replace').rstrip()}" for line in lines]


def printable(line: bytes) -> str:
    """A line of output without what would move the cursor."""
    text = line.decode("utf-8", "replace").rstrip().rpartition("\r")[2]
    return "".join(letter if letter.isprintable() else " " for letter in text.expandtabs())
