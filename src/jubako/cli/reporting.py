"""Where the progress of pull, push, load and the like goes: nowhere, lines for a file, or bars on a terminal.

Layers report from several threads; each report is one write.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, TextIO, cast

from jubako.cli import humanize, terminal
from jubako.cli.call import write_all
from jubako.image.progress import SILENT

if TYPE_CHECKING:
    from rich.live import Live

    from jubako.cli.call import Call
    from jubako.image.progress import Progress

_PERIOD_S = 0.1
_PATIENCE_S = 0.3
_BAR_CELLS = 50
# What a line needs beside its bar: identifier, status, sizes.
_TEXT_CELLS = 56
_LEAST_CELLS = 5


@contextmanager
def shown(call: Call, fd: int, *, quiet: bool) -> Iterator[Progress]:
    """Lend what reports to `fd`, for the length of one transfer."""
    if quiet:
        yield SILENT
    elif not call.is_terminal(fd):
        yield Lines(fd)
    else:
        bars = Bars(fd)
        try:
            yield bars
        finally:
            bars.finish()


class Lines:
    """A line for each new status of a layer, without the counting in between, as docker writes to a file."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._told: dict[str, str] = {}
        self._lock = Lock()

    def update(self, id: str, status: str, current: int | None = None, total: int | None = None) -> None:
        counts = total is not None and status.endswith("ing")
        with self._lock:
            if counts or self._told.get(id) == status:
                return
            self._told[id] = status
            write_all(self._fd, f"{_named(id, status)}\n".encode())


class Bars:
    """One line of the terminal for each layer, rewritten in place.

    Nothing is drawn before the work has taken a while: what is over sooner is told by lines, and does not load rich.
    """

    def __init__(self, fd: int, *, patience_s: float = _PATIENCE_S) -> None:
        self._fd = fd
        self._rows: dict[str, _Row] = {}
        self._live: Live | None = None
        self._next_s = time.monotonic() + patience_s
        self._lock = Lock()

    def update(self, id: str, status: str, current: int | None = None, total: int | None = None) -> None:
        with self._lock:
            self._rows[id or status] = _Row(id, status, current, total)
            if time.monotonic() >= self._next_s:
                self._draw()

    def finish(self) -> None:
        with self._lock:
            if self._live is not None:
                self._draw()
                self._live.stop()
            elif self._rows:
                write_all(self._fd, "".join(f"{row.text(0)}\n" for row in self._rows.values()).encode())

    def _draw(self) -> None:
        live = self._live = self._live or _live(self._fd, self._rows)
        height, width = terminal.size(self._fd) or (24, 80)
        live.console.size = (width, height)
        live.refresh()
        self._next_s = time.monotonic() + _PERIOD_S


class _Row(NamedTuple):
    id: str
    status: str
    current: int | None
    total: int | None

    def text(self, width: int) -> str:
        """The line, with a bar while it counts, where `width` has room for one."""
        if not self.total or self.current is None or not self.status.endswith("ing"):
            return _named(self.id, self.status)
        cells = min(_BAR_CELLS, width - _TEXT_CELLS)
        sizes = f"{humanize.size(self.current):>8}/{humanize.size(self.total)}"
        if cells < _LEAST_CELLS:
            return f"{_named(self.id, self.status)} {sizes}"
        done = min(cells, cells * self.current // self.total)
        return f"{_named(self.id, self.status)} [{('=' * done + '>')[:cells]:<{cells}}] {sizes}"


def _live(fd: int, rows: dict[str, _Row]) -> Live:
    """What draws `rows` on the terminal `fd`, as they are at each refresh. The one place that imports rich."""
    from rich.console import Console, ConsoleOptions
    from rich.live import Live
    from rich.text import Text

    class Rows:
        def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
            return (Text(row.text(options.max_width), no_wrap=True, overflow="crop") for row in list(rows.values()))

    # Only the bytes go through the file: rich asks nothing of it.
    file = cast("TextIO", _Terminal(fd))
    console = Console(file=file, force_terminal=True, color_system=None, highlight=False, markup=False, emoji=False)
    live = Live(Rows(), console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
    live.start()
    return live


class _Terminal:
    """Text to a file descriptor."""

    encoding = "utf-8"

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def write(self, text: str) -> int:
        write_all(self._fd, text.encode())
        return len(text)

    def flush(self) -> None:
        pass


def _named(id: str, status: str) -> str:
    return f"{id}: {status}" if id else status
