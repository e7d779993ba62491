"""Reading a container's log, over its rotated files, with follow: Docker's json-file format, or CRI's.

Spec: one JSON object a line with `log` (text, usually ending in a newline), `stream` and `time`; or
      `TIME STREAM P|F TEXT`, where P is a part of a line, and F all or the rest of it.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from jubako.engine import process
from jubako.engine.drivers import Drivers
from jubako.engine.record import ContainerRecord
from jubako.errors import FailedPrecondition
from jubako.spec import clock, decoding

_POLL_S = 0.05


class Line(msgspec.Struct, frozen=True):
    """One entry. `log` may be part of a line: then it does not end in a newline."""

    log: str
    stream: str
    time: str

    @property
    def time_ns(self) -> int:
        return clock.parse(self.time)


def of(
    drivers: Drivers,
    record: ContainerRecord,
    *,
    follow: bool,
    stopped: Callable[[], bool],
    tail: int | None,
    since_ns: int | None,
    until_ns: int | None,
) -> Iterator[Line]:
    """What a container wrote; with `follow` until it ends, or `stopped` says that it is enough."""
    if record.options.log_driver == "none":
        raise FailedPrecondition("configured logging driver does not support reading")
    run_dir = drivers.run_dir(record.id)
    alive = (lambda: not stopped() and process.is_running(run_dir)) if follow else None
    return read(drivers.log_path(record), tail=tail, since_ns=since_ns, until_ns=until_ns, follow=alive)


def read(
    path: Path,
    *,
    tail: int | None = None,
    since_ns: int | None = None,
    until_ns: int | None = None,
    follow: Callable[[], bool] | None = None,
) -> Iterator[Line]:
    """Entries, oldest first; the last `tail` of them; with `follow` go on until it returns False and all is read.

    A line that is not whole yet is left until it is. Lines that are damaged are skipped.
    """
    position, lines = _present(path)
    wanted = [line for line in lines if _within(line, since_ns, until_ns)]
    yield from wanted[len(wanted) - tail if tail is not None and tail < len(wanted) else 0 :]
    if follow is not None:
        yield from _follow(path, position, follow, since_ns, until_ns)


def _present(path: Path) -> tuple[tuple[int, int], list[Line]]:
    """What is there now: (inode, offset) to go on from, and the entries of every file, oldest first."""
    lines: deque[Line] = deque()
    rotated = sorted(path.parent.glob(f"{path.name}.[0-9]*"), key=lambda p: -int(p.name.rpartition(".")[2]))
    for file in rotated:
        lines.extend(_decode(file.read_bytes())[0])
    try:
        data = path.read_bytes()
        inode = path.stat().st_ino
    except FileNotFoundError:
        return (0, 0), list(lines)
    found, used = _decode(data)
    lines.extend(found)
    return (inode, used), list(lines)


def _decode(data: bytes) -> tuple[list[Line], int]:
    """The whole entries in `data`, and how many bytes they take."""
    end = data.rfind(b"\n") + 1
    decoder = decoding.decoder(Line)
    lines = []
    for text in data[:end].split(b"\n")[:-1]:
        try:
            lines.append(decoder.decode(text) if text[:1] == b"{" else _cri_line(text))
        except (msgspec.DecodeError, ValueError):
            continue
    return lines, end


def _cri_line(text: bytes) -> Line:
    time, stream, tag, log = text.decode(errors="replace").split(" ", 3)
    return Line(log=log if tag == "P" else f"{log}\n", stream=stream, time=time)


def _within(line: Line, since_ns: int | None, until_ns: int | None) -> bool:
    if since_ns is None and until_ns is None:
        return True
    moment = line.time_ns
    return (since_ns is None or moment >= since_ns) and (until_ns is None or moment <= until_ns)


def _follow(
    path: Path, position: tuple[int, int], alive: Callable[[], bool], since_ns: int | None, until_ns: int | None
) -> Iterator[Line]:
    inode, offset = position
    while True:
        living = alive()
        lines, inode, offset = _more(path, inode, offset)
        for line in lines:
            if _within(line, since_ns, until_ns):
                yield line
        if not lines and (not living or (until_ns is not None and time.time_ns() > until_ns)):
            return
        if not lines:
            time.sleep(_POLL_S)


def _more(path: Path, inode: int, offset: int) -> tuple[list[Line], int, int]:
    """New entries since `offset`; a file that was rotated away is read to its end first."""
    try:
        current = path.stat().st_ino
    except FileNotFoundError:
        return [], inode, offset
    found: list[Line] = []
    if inode not in (0, current):
        older = path.with_name(f"{path.name}.1")
        if older.exists() and older.stat().st_ino == inode:
            found = _read_from(older, offset)[0]
        offset = 0
    lines, used = _read_from(path, offset)
    return [*found, *lines], current, offset + used


def _read_from(path: Path, offset: int) -> tuple[list[Line], int]:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _decode(os.pread(fd, 8 << 20, offset))
    finally:
        os.close(fd)
