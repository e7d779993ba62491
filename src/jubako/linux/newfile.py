"""Files that are made once, whoever comes first: whole and durable when they have their name."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write_once(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Give `data` the name `path`, unless something has it already; a killed writer leaves a draft beside it."""
    draft = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
