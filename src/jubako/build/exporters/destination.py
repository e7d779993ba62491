"""Where an export is written: a file that appears when it is whole, or standard output."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from jubako.build.files.failure import explained
from jubako.errors import InvalidArgument


@contextmanager
def destination(dest: str, stdout: BinaryIO | None) -> Iterator[BinaryIO]:
    """Lend what `dest` names for writing; a failure leaves what was there."""
    if dest == "-":
        if stdout is None:
            raise InvalidArgument("there is no standard output to write to")
        yield stdout
        stdout.flush()
        return
    with explained("write"):
        if Path(dest).is_dir():
            raise InvalidArgument(f"destination directory {dest} is a directory: a file is needed")
        if Path(dest).exists() and not Path(dest).is_file():
            with open(dest, "wb") as stream:
                yield stream
            return
        Path(dest).parent.mkdir(parents=True, exist_ok=True)
        yield from _replaced(Path(dest))


def _replaced(path: Path) -> Iterator[BinaryIO]:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as stream:
            yield stream
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
