"""Reading a container's log, over its rotated files, with follow: Docker's json-file format, or CRI's.

Rotation: files get other names, and new ones come, at any moment; a file is known by its inode.
Spec: one JSON object a line with `log` (text, usually ending in a newline), `stream` and `time`; or
      `TIME STREAM P|F TEXT`, where P is a part of a line, and F all or the rest of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from jubako.engine import process
from jubako.engine.drivers import Drivers
from jubako.engine.record import ContainerRecord
from jubako.errors import FailedPrecondition, Unavailable
from jubako.spec import clock, decoding

_POLL_S = 0.05
_PIECE_BYTES = 8 << 20
_TRIES = 100


class Line(msgspec.Struct, frozen=True):
    """One entry. `log` may be part of a line: then it does not end in a newline."""

    log: str
    stream: str
    time: str

    @property
    def time_ns(self) -> int:
        return clock.parse(self.time)


class _File(NamedTuple):
    path: Path
    inode: int


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


def details(record: ContainerRecord) -> str:
    """The labels and variables that the log options `labels` and `env` name, as `docker logs --details` shows them."""
    from urllib.parse import quote_plus

    variables = dict(text.partition("=")[::2] for text in record.env)
    chosen = {
        name: known[name]
        for option, known in (("labels", record.labels), ("env", variables))
        for name in record.options.log_opts.get(option, "").split(",")
        if name in known
    }
    return ",".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in sorted(chosen.items()))


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
    files, contents = _read_all(path)
    lines, used = [], 0
    for data in contents:
        found, used = _decode(data)
        lines.extend(found)
    return (files[-1].inode, used) if files and files[-1].path == path else (0, 0), lines


def _read_all(path: Path) -> tuple[list[_File], list[bytes]]:
    """Every file and what is in it; again when they were rotated meanwhile."""
    for _ in range(_TRIES):
        files = _files(path)
        with suppress(FileNotFoundError):
            contents = [file.path.read_bytes() for file in files]
            if _files(path) == files:
                return files, contents
    raise Unavailable(f"the log {path} is rotated faster than it can be read", hint="set a larger max-size for it")


def _files(path: Path) -> list[_File]:
    """The files that there are, oldest first."""
    rotated = sorted(path.parent.glob(f"{path.name}.[0-9]*"), key=lambda p: -int(p.name.rpartition(".")[2]))
    found = []
    for file in [*rotated, path]:
        with suppress(FileNotFoundError):
            found.append(_File(file, file.stat().st_ino))
    return found


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
    """New entries since `offset`; files that were rotated away are read to their ends first."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return [], inode, offset
    try:
        status, found = os.fstat(fd), []
        if inode not in (0, status.st_ino):
            found, offset = _rotated(path, inode, offset, status.st_ino), 0
        elif offset > status.st_size:
            offset = 0  # the only file, which was emptied
        lines, used = _decode(os.pread(fd, _PIECE_BYTES, offset))
        return [*found, *lines], status.st_ino, offset + used
    finally:
        os.close(fd)


def _rotated(path: Path, inode: int, offset: int, current: int) -> list[Line]:
    """What came after `offset` in the file `inode`, as far as it is there, and in those between it and the current."""
    files = [file for file in _files(path) if file.inode != current]
    known = [file.inode for file in files]
    lines: list[Line] = []
    for file in files[known.index(inode) if inode in known else 0 :]:
        with suppress(FileNotFoundError):
            lines.extend(_decode(file.path.read_bytes()[offset if file.inode == inode else 0 :])[0])
    return lines
