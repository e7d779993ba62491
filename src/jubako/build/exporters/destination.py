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
        Path(dest).parent.mkdir(parents=True, exist_ok=True)
        with replaced(Path(dest)) as stream:
            yield stream


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Lend a file that takes the place of `path` when it is whole; a device or a pipe is written as it is."""
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
        return
    # A link stays one: /dev/stdout may lead to a file.
    path = path.resolve()
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    try:
        with temporary.open("wb") as stream:
            yield stream
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
