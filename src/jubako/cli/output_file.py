"""A file that appears under its name only when it is whole."""

from __future__ import annotations

import os
from types import TracebackType
from typing import BinaryIO

from jubako.cli.failure import Exit


class OutputFile:
    """Write beside `path` and rename at the end; a failure leaves what was there."""

    def __init__(self, path: str, what: str) -> None:
        self.path = path
        directory = os.path.dirname(path) or "."
        if not os.path.isdir(directory):
            raise Exit(1, f"failed to {what}: invalid output path: stat {directory}: no such file or directory")
        if os.path.isdir(path):
            raise Exit(1, f"failed to {what}: invalid output path: {path} is a directory")
        # A device or a pipe (/dev/null, /dev/stdout) is written as it is.
        self._direct = os.path.exists(path) and not os.path.isfile(path)
        self._temporary = path if self._direct else os.path.join(directory, f".{os.path.basename(path)}.{os.getpid()}")

    def __enter__(self) -> BinaryIO:
        self._file = open(self._temporary, "wb")
        return self._file

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
            if kind is None and not self._direct:
                os.replace(self._temporary, self.path)
        finally:
            if not self._direct and os.path.exists(self._temporary):
                os.unlink(self._temporary)
