"""A build on a terminal: the steps with their times, rewritten in place, and the last lines of those at work.

As docker shows it: `[+] Building 1.2s (3/5)`, then ` => [2/3] RUN make   1.1s`. Drawn by one thread ten times a second;
a build that ends before the first drawing shows its final state alone. A failed step's output stays on the screen.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType

from jubako.build.progress import Step, printable
from jubako.cli import terminal
from jubako.cli.call import write_all

_PERIOD_S = 0.1
_LOG_ROWS = 6
_KEPT_LINES = 40
_BLUE, _RED, _PLAIN = "\033[34m", "\033[31m", "\033[0m"


class BuildView:
    """Lend it with `with`; any thread may report."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()
        self._steps: list[_ViewStep] = []
        self._remarks: list[str] = []
        self._started = time.monotonic()
        self._drawn = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_drawing, daemon=True)

    def __enter__(self) -> BuildView:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._draw(final="FINISHED" if kind is None else "ERROR")

    def step(self, name: str) -> Step:
        step = _ViewStep(name)
        with self._lock:
            self._steps.append(step)
        return step

    def warning(self, text: str) -> None:
        with self._lock:
            self._remarks.append(f"[Warning] {text}")

    def remarks(self, lines: Sequence[str]) -> None:
        with self._lock:
            self._remarks.extend(lines)

    def _keep_drawing(self) -> None:
        while not self._over.wait(_PERIOD_S):
            self._draw()

    def _draw(self, final: str = "") -> None:
        height, width = terminal.size(self._fd) or (24, 80)
        with self._lock:
            rows = self._rows(width)
            if not final:
                # What has scrolled off the screen can not be rewritten: show the newest.
                rows = [rows[0], *rows[1:][-(height - 2) :]]
            text = f"\033[{self._drawn}A" if self._drawn else ""
            rows[0] += f" {final}" if final else ""
            text += "".join(f"\033[2K{row}\r\n" for row in rows) + "\033[J"
            self._drawn = len(rows)
            if final:
                text += self._ending()
        write_all(self._fd, text.encode("utf-8", "replace"))

    def _rows(self, width: int) -> list[str]:
        done = sum(step.ended is not None for step in self._steps)
        seconds = time.monotonic() - self._started
        rows = [f"[+] Building {seconds:.1f}s ({done}/{len(self._steps)})"]
        for step in self._steps:
            rows.extend(step.rows(width))
        return rows

    def _ending(self) -> str:
        lines = [line for step in self._steps if step.problem for line in step.report()]
        return "".join(f"{line}\r\n" for line in [*lines, *self._remarks])


class _ViewStep:
    def __init__(self, name: str) -> None:
        self._name = name
        self._started = time.monotonic()
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._rest = b""
        self._word = ""
        self.ended: float | None = None
        self.problem = ""

    def log(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()[-_KEPT_LINES * 1000 :]
        self._lines.extend(printable(line) for line in lines)

    def status(self, text: str) -> None:
        self._lines.append(text)

    def cached(self) -> None:
        self._word = "CACHED "
        self.done()

    def done(self) -> None:
        self.ended = time.monotonic()

    def failed(self, problem: str) -> None:
        self._word = "CANCELED " if problem == "CANCELED" else "ERROR "
        self.problem = "" if problem == "CANCELED" else problem
        self.done()

    def rows(self, width: int) -> list[str]:
        seconds = f"{(self.ended or time.monotonic()) - self._started:.1f}s"
        room = max(10, width - len(seconds) - 5)
        text = f"{self._word}{self._name}"[:room]
        color = _RED if self._word == "ERROR " else _BLUE if self.ended else ""
        rows = [f"{color} => {text:<{room}}{seconds}{_PLAIN if color else ''}"]
        if self.ended is None:
            rows += [f" => => # {line}"[: width - 1] for line in list(self._lines)[-_LOG_ROWS:]]
        return rows

    def report(self) -> list[str]:
        """The output of a step that failed."""
        rest = [printable(self._rest)] if self._rest else []
        return ["------", f" > {self._name}:", *self._lines, *rest, "------"]
