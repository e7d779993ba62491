"""Where the progress of pull, push, load and the like goes: nowhere, lines for a file, or bars on a terminal.

Layers report from several threads; each report is one write.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from jubako.cli import humanize, terminal
from jubako.cli.call import write_all
from jubako.image.progress import SILENT

if TYPE_CHECKING:
    from jubako.cli.call import Call
    from jubako.image.progress import Progress

_PERIOD_S = 0.1
_BAR_CELLS = 50
# What a line needs beside its bar: identifier, status, sizes.
_TEXT_CELLS = 56


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
    """One line of the terminal for each layer, rewritten in place."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._rows: dict[str, str] = {}
        self._drawn = 0
        self._next_s = 0.0
        self._lock = Lock()

    def update(self, id: str, status: str, current: int | None = None, total: int | None = None) -> None:
        with self._lock:
            self._rows[id or status] = _named(id, status + self._bar(status, current, total))
            if time.monotonic() >= self._next_s:
                self._draw()

    def finish(self) -> None:
        with self._lock:
            self._draw()

    def _bar(self, status: str, current: int | None, total: int | None) -> str:
        if not total or current is None or not status.endswith("ing"):
            return ""
        _, width = terminal.size(self._fd) or (24, 80)
        cells = min(_BAR_CELLS, width - _TEXT_CELLS)
        sizes = f"{humanize.size(current):>8}/{humanize.size(total)}"
        if cells < 5:
            return f" {sizes}"
        done = min(cells, cells * current // total)
        return f" [{('=' * done + '>')[:cells]:<{cells}}] {sizes}"

    def _draw(self) -> None:
        up = f"\033[{self._drawn}A" if self._drawn else ""
        text = up + "".join(f"\033[2K{row}\r\n" for row in self._rows.values())
        self._drawn = len(self._rows)
        self._next_s = time.monotonic() + _PERIOD_S
        if self._rows:
            write_all(self._fd, text.encode())


def _named(id: str, status: str) -> str:
    return f"{id}: {status}" if id else status
